#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

/// Files that are complete or absent, whatever happens. All throw core::SystemError, with the
/// file, the system's reason and what to do.
namespace proxytune::core {

/// Throws SystemError for the present errno.
[[noreturn]] void fail_with_errno(const std::filesystem::path& file, const std::string& what);

/// An open file, closed by its destructor.
class OpenFile {
 public:
  /// `flags` as of open(2); `what` for the sentence, as "create the file".
  OpenFile(const std::filesystem::path& file, int flags, const std::string& what);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }
  void write(std::string_view bytes);
  void sync();

 private:
  std::filesystem::path file_;
  int descriptor_;
};

/// The folder that the file lies in.
std::filesystem::path folder_of(const std::filesystem::path& file);

/// Makes names that were given within it last. File systems that cannot, keep names at once.
void sync_folder(const std::filesystem::path& folder);

/// Renames it within its folder, and syncs that.
void give_name(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// The file holds the old text or the new one: written beside it as `temporary` (empty: the
/// file's name and ".tmp"), synced, renamed, folder synced.
void write_file_atomically(const std::filesystem::path& file,
                           std::string_view text,
                           std::filesystem::path temporary = {});

/// The same in parts, and the old file, if there is one, stays as `previous`. Between the two
/// renames there is `previous` alone.
void write_next_generation(const std::filesystem::path& file,
                           const std::filesystem::path& previous,
                           std::span<const std::string_view> parts);

/// Throws DataError where the file cannot be read.
std::string read_file(const std::filesystem::path& file);

}  // namespace proxytune::core
