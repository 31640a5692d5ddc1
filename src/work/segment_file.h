#pragma once

#include <filesystem>
#include <string_view>

#include <sys/types.h>

namespace proxytune::work {

/// A new file that grows by whole pieces.
class SegmentFile {
 public:
  /// Makes the folders that are missing; throws core::SystemError if the file exists already.
  explicit SegmentFile(std::filesystem::path path);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  /// Written when it returns, so that the process may be killed; not yet safe from a crash of
  /// the machine. Where the disk refuses, the file is cut back to what it held before and
  /// core::SystemError thrown; if even that fails, every later append throws too.
  void append(std::string_view text);
  /// All of it is on disk when it returns. Throws core::SystemError, and from then on always.
  void sync();

 private:
  [[noreturn]] void fail(const char* what, int error);

  std::filesystem::path path_;
  int descriptor_ = -1;
  off_t length_ = 0;  // of the whole pieces
  bool broken_ = false;
};

}  // namespace proxytune::work
