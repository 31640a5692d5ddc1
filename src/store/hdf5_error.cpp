#include "store/hdf5_error.h"

#include <array>

#include "proxytune/core/error.h"

namespace proxytune::store::h5 {
namespace {

// HDF5 lists the outermost call first when walked downwards; the last entry is the cause.
herr_t keep_description(unsigned, const H5E_error2_t* entry, void* text) {
  if (entry->desc != nullptr && *entry->desc != '\0')
    *static_cast<std::string*>(text) = entry->desc;
  return 0;
}

std::string innermost_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_description, &reason);
  reason = reason.substr(0, reason.find(": time ="));  // what follows is for HDF5's developers
  return reason.empty() ? "no reason given" : reason;
}

}  // namespace

void fail(const std::string& file, const std::string& what) {
  throw core::SystemError(file + ": HDF5 could not " + what + ": " + innermost_reason());
}

void fail(hid_t object, const std::string& what) {
  const std::string reason = innermost_reason();  // before further calls replace it
  std::array<char, 1024> name{};
  const ssize_t length = H5Fget_name(object, name.data(), name.size());
  throw core::SystemError((length > 0 ? std::string(name.data()) : "an HDF5 file") +
                          ": HDF5 could not " + what + ": " + reason);
}

}  // namespace proxytune::store::h5
