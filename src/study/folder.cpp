#include "proxytune/study/folder.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

namespace proxytune::study {
namespace {

constexpr int format_version = 1;
constexpr auto identity_file = "study.json";
constexpr std::string_view folders[] = {"journal", "cache", "weights", "checkpoints"};

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw core::ConfigurationError("output.folder " + folder.string() + " " + why);
}

nlohmann::json parse(const std::filesystem::path& file) {
  nlohmann::json value = nlohmann::json::parse(core::read_file(file), nullptr, false);
  if (!value.is_object())
    throw core::DataError(file.string() +
                          ": this is no JSON object, so the file was damaged; restore it, or "
                          "choose another output.folder");
  return value;
}

void check_identity(const std::filesystem::path& folder, const std::string& study_id) {
  const std::filesystem::path file = folder / identity_file;
  const nlohmann::json identity = parse(file);
  if (identity.value("format", "") != "proxytune study")
    refuse(folder, "holds a study.json that proxytune did not write; choose another folder");
  if (!identity.contains("format_version") || !identity["format_version"].is_number_integer() ||
      !identity.contains("study_id") || !identity["study_id"].is_string())
    throw core::DataError(file.string() +
                          ": format_version or study_id is missing; restore it");
  if (identity["format_version"] > format_version)
    refuse(folder,
           "was written by a newer proxytune (format " + identity["format_version"].dump() +
               ", this one knows " + std::to_string(format_version) + "); use that one");
  const std::string found = identity["study_id"];
  if (found != study_id)
    refuse(folder,
           "holds another study (" + found + ", this one is " + study_id +
               "); choose another folder, or repeat the command with that study's file");
}

bool is_hidden_or_lock(const std::filesystem::path& entry) {
  const std::string name = entry.filename().string();
  return name.starts_with(".") || name.starts_with("lock.") || name.ends_with(".tmp");
}

void require_no_foreign_files(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    // What a launch leaves that was killed before study.json stood there is no obstacle.
    const bool ours = std::ranges::find(folders, name) != std::end(folders);
    const bool empty_folder = entry.is_directory() && std::filesystem::is_empty(entry.path());
    if (is_hidden_or_lock(entry.path()) || (ours && empty_folder))
      continue;
    refuse(
        folder,
        "holds files but no study (" + name +
            ", for one); choose a new or empty folder, so that nothing of yours is mixed in");
  }
}

void write_identity(const std::filesystem::path& folder, const std::string& study_id) {
  const nlohmann::json identity = {{"format", "proxytune study"},
                                   {"format_version", format_version},
                                   {"study_id", study_id}};
  core::write_file_atomically(folder / identity_file, identity.dump(2) + "\n");
}

}  // namespace

StudyFolder::StudyFolder(std::filesystem::path path, std::string study_id, bool is_new)
    : path_(std::move(path)), study_id_(std::move(study_id)), is_new_(is_new) {}

StudyFolder StudyFolder::open(const std::filesystem::path& folder,
                              const std::string& study_id) {
  try {
    std::filesystem::create_directories(folder);
    const bool is_new = !std::filesystem::exists(folder / identity_file);
    if (is_new)
      require_no_foreign_files(folder);
    else
      check_identity(folder, study_id);
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
      refuse(folder, "cannot be written: give yourself the right, or choose another folder");
    for (const std::string_view name : folders)
      std::filesystem::create_directories(folder / name);
    if (is_new)
      write_identity(folder, study_id);
    return StudyFolder(folder, study_id, is_new);
  } catch (const std::filesystem::filesystem_error& error) {
    refuse(folder,
           "cannot be made or read: " + error.code().message() +
               "; give yourself the right, or choose another folder");
  }
}

std::optional<Fields> StudyFolder::fields(const std::string& name) const {
  const std::filesystem::path file = path_ / (name + ".json");
  if (!std::filesystem::exists(file))
    return std::nullopt;
  Fields fields;
  const nlohmann::json saved = parse(file);
  for (const auto& [field, text] : saved.items()) {
    if (!text.is_string())
      throw core::DataError(file.string() + ": the field " + field + " is no text; restore it");
    fields[field] = text.get<std::string>();
  }
  return fields;
}

void StudyFolder::save_fields(const std::string& name, const Fields& fields) const {
  core::write_file_atomically(path_ / (name + ".json"), nlohmann::json(fields).dump(2) + "\n");
}

}  // namespace proxytune::study
