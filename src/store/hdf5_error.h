#pragma once

#include <string>

#include <hdf5.h>

namespace proxytune::store::h5 {

/// Throws core::SystemError: "<file>: HDF5 could not <what>: <its innermost reason>".
[[noreturn]] void fail(const std::string& file, const std::string& what);
/// The same with the name of the file that `object` belongs to.
[[noreturn]] void fail(hid_t object, const std::string& what);

inline herr_t check(herr_t code, hid_t object, const std::string& what) {
  if (code < 0)
    fail(object, what);
  return code;
}
inline hid_t check_id(hid_t id, hid_t object, const std::string& what) {
  if (id < 0)
    fail(object, what);
  return id;
}

}  // namespace proxytune::store::h5
