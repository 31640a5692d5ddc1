#include "store/files.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

namespace proxytune::store {
namespace {

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
    const core::OpenFile opened(file, O_WRONLY | O_CREAT | O_TRUNC, "create the file");
    try {
      reserve_blocks(opened.descriptor(), file, bytes);
      return;
    } catch (const core::SystemError&) {
      discard(file);
      throw;
    }
  }
}

void reserve(const std::filesystem::path& file, std::uint64_t bytes) {
  const core::OpenFile opened(file, O_WRONLY, "open the file");
  reserve_blocks(opened.descriptor(), file, bytes);
}

void publish(const std::filesystem::path& temporary, const std::filesystem::path& file) {
  {
    core::OpenFile opened(temporary, O_WRONLY, "open the file");
    struct stat state {};
    if (::fstat(opened.descriptor(), &state) != 0 ||
        ::ftruncate(opened.descriptor(), state.st_size) != 0)
      core::fail_with_errno(temporary, "give back reserved room");
    opened.sync();
  }
  core::give_name(temporary, file);
}

void discard(const std::filesystem::path& file) noexcept {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

}  // namespace proxytune::store
