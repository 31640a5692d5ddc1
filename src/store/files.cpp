#include "store/files.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxytune/core/error.h"

namespace proxytune::store {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  const int error = errno;
  throw core::SystemError(file.string() + ": cannot " + what + ": " + std::strerror(error));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags, const std::string& what)
      : number_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {
    if (number_ < 0)
      fail(file, what);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }  // NOLINT

 private:
  int number_;
};

void reserve_blocks(int descriptor, const std::filesystem::path& file, std::uint64_t bytes) {
  if (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0)
    return;
  if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
    return;  // cannot reserve here
  const std::string reason = std::strerror(errno);
  throw core::SystemError(
      file.string() + ": cannot reserve " + std::to_string((bytes + 999'999) / 1'000'000) +
      " MB: " + reason +
      "; make room or choose another output.folder, then repeat the command");
}

}  // namespace

void make_room(const std::filesystem::path& file, std::uint64_t bytes) {
  {
    const Descriptor descriptor(file, O_WRONLY | O_CREAT | O_TRUNC, "create the file");
    try {
      reserve_blocks(descriptor, file, bytes);
      return;
    } catch (const core::SystemError&) {
      discard(file);
      throw;
    }
  }
}

void reserve(const std::filesystem::path& file, std::uint64_t bytes) {
  const Descriptor descriptor(file, O_WRONLY, "open the file");
  reserve_blocks(descriptor, file, bytes);
}

void publish(const std::filesystem::path& temporary, const std::filesystem::path& file) {
  {
    const Descriptor descriptor(temporary, O_WRONLY, "open the file");
    struct stat state {};
    if (::fstat(descriptor, &state) != 0 || ::ftruncate(descriptor, state.st_size) != 0)
      fail(temporary, "give back reserved room");
    if (::fsync(descriptor) != 0)
      fail(temporary, "sync the file");
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0)
    fail(file, "give the file its name");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY, "open the folder");
  if (::fsync(descriptor) != 0 && errno != EINVAL)
    fail(folder, "sync the folder");
}

void discard(const std::filesystem::path& file) noexcept {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace proxytune::store
