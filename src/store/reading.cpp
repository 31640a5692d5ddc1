#include "store/reading.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace proxytune::store {

h5::Handle open_checked(const std::filesystem::path& file,
                        std::string_view format,
                        const std::string& noun) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw core::DataError(file.string() + ": cannot open the " + noun + ": " +
                          std::strerror(errno));
  ::close(descriptor);
  h5::Handle handle = [&] {
    try {
      return h5::open_file(file);
    } catch (const core::SystemError& error) {
      throw core::DataError(std::string(error.what()) + "; the " + noun +
                            " is truncated, or no HDF5 file");
    }
  }();
  const auto names = h5::attribute_names(handle);
  for (const std::string& name : names)
    if (name == "format" && h5::text_attribute(handle, name) == format)
      return handle;
  throw core::DataError(file.string() + ": this HDF5 file is no " + noun +
                        " of proxytune: it lacks the attribute format = \"" +
                        std::string(format) + "\"");
}

}  // namespace proxytune::store
