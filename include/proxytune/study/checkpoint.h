#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxytune/core/logging.h"
#include "proxytune/study/changes.h"

namespace proxytune::study {

/// The state of a piece of work that is not finished: two generations of a file, the newest and
/// the one before. A content hash lies over all of a file, so that damage is seen, and with it
/// what the state is worth anything for (the piece's specification, the numerics). Any rank of
/// any launch may write and read it, one at a time.
class CheckpointFile {
 public:
  /// `identity`: in equal states, the texts of all fields are equal.
  CheckpointFile(const std::filesystem::path& folder,
                 const std::string& key,
                 const Fields& identity);

  /// The newest state that is whole and of this identity, if there is one; each generation that
  /// is not gets a warning that says why.
  std::optional<std::string> read(const core::Log& log) const;
  /// Temporary name, sync, rename; the newest becomes the one before. Throws
  /// core::SystemError.
  void write(std::string_view state) const;
  /// Whether there is any file, whole or not, temporary ones included.
  bool exists() const;
  /// Leaves nothing. What the system refuses to remove stays: the next launch tries again.
  void remove() const;

 private:
  std::vector<std::filesystem::path> files() const;
  std::optional<std::string> read_generation(const std::filesystem::path& file,
                                             const std::string& otherwise,
                                             const core::Log& log) const;

  std::filesystem::path newest_;
  std::filesystem::path previous_;
  std::string identity_;
};

/// Keys of all pieces that have a file in the folder, temporary ones included.
std::vector<std::string> checkpointed(const std::filesystem::path& folder);

}  // namespace proxytune::study
