#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "proxytune/study/changes.h"

namespace proxytune::study {

/// The output folder of one study, and what it remembers between launches. Every function is
/// local to the rank that calls it: one rank opens, the others learn from it.
class StudyFolder {
 public:
  /// Makes the folder with journal/, cache/, weights/, checkpoints/ and study.json, or opens it
  /// again. Throws
  /// core::ConfigurationError with a sentence for a folder of another study, of a newer format,
  /// with other files in it and no study, or that cannot be written.
  static StudyFolder open(const std::filesystem::path& folder, const std::string& study_id);

  const std::filesystem::path& path() const { return path_; }
  const std::string& study_id() const { return study_id_; }
  /// True if open() made it.
  bool is_new() const { return is_new_; }
  std::filesystem::path journal() const { return path_ / "journal"; }
  std::filesystem::path cache() const { return path_ / "cache"; }
  std::filesystem::path weights() const { return path_ / "weights"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path results() const { return path_ / "results.h5"; }

  /// Fields kept as <name>.json, e.g. "resolved", "numerics", or "stages" with the fingerprint
  /// under which each stage was completed; nothing before the first save. Damage throws
  /// core::DataError.
  std::optional<Fields> fields(const std::string& name) const;
  void save_fields(const std::string& name, const Fields& fields) const;

 private:
  StudyFolder(std::filesystem::path path, std::string study_id, bool is_new);
  std::filesystem::path path_;
  std::string study_id_;
  bool is_new_ = false;
};

}  // namespace proxytune::study
