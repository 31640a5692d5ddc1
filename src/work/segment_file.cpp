#include "segment_file.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

namespace proxytune::work {
namespace {

namespace fs = std::filesystem;

/// Makes the folder and its missing parents, and syncs the names of the new ones.
void make_folder(const fs::path& folder) {
  std::vector<fs::path> parents_of_new;
  for (fs::path each = fs::absolute(folder); !fs::exists(each); each = each.parent_path())
    parents_of_new.push_back(each.parent_path());
  fs::create_directories(folder);
  for (const fs::path& parent : parents_of_new)
    core::sync_folder(parent);
}

}  // namespace

SegmentFile::SegmentFile(fs::path path) : path_(std::move(path)) {
  try {
    make_folder(path_.parent_path());
  } catch (const fs::filesystem_error& error) {
    throw core::SystemError("cannot make the folder " + path_.parent_path().string() + ": " +
                            error.code().message());
  }
  descriptor_ = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw core::SystemError("cannot make the journal " + path_.string() + ": " +
                            std::strerror(errno));
  try {
    core::sync_folder(path_.parent_path());
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

SegmentFile::~SegmentFile() {
  ::close(descriptor_);
}

void SegmentFile::append(std::string_view text) {
  if (broken_)
    fail("write", EIO);
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && errno != EINTR)
      fail("write", errno);
    if (written > 0)
      left.remove_prefix(static_cast<std::size_t>(written));
  }
  length_ += static_cast<off_t>(text.size());
}

void SegmentFile::sync() {
  if (broken_)
    fail("sync", EIO);
  if (::fdatasync(descriptor_) == 0)
    return;
  const int error = errno;
  broken_ = true;  // after a failed sync nobody knows what the disk holds
  fail("sync", error);
}

void SegmentFile::fail(const char* what, int error) {
  if (::ftruncate(descriptor_, length_) != 0 || ::lseek(descriptor_, length_, SEEK_SET) < 0)
    broken_ = true;
  throw core::SystemError(std::string("cannot ") + what + " the journal " + path_.string() +
                          ": " + std::strerror(error) +
                          ". Make room or mend the disk, and give the same command again: what "
                          "is finished is kept");
}

}  // namespace proxytune::work
