#include "store/mapping.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxytune/core/error.h"

namespace proxytune::store {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw core::DataError(file.string() + ": cannot map the file: " + std::strerror(error));
}

}  // namespace

Mapping::Mapping(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    fail(file, errno);
  struct stat state {};
  void* address = MAP_FAILED;
  int error = EINVAL;
  if (::fstat(descriptor, &state) == 0 && state.st_size > 0) {
    const auto size = static_cast<std::size_t>(state.st_size);
    address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    error = errno;
    bytes_ = {static_cast<const std::byte*>(address), size};
  }
  ::close(descriptor);
  if (address == MAP_FAILED)
    fail(file, error);
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping::~Mapping() {
  if (!bytes_.empty())
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace proxytune::store
