#include "proxytune/datasets/dataset.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "datasets/json_file.h"
#include "proxytune/core/error.h"
#include "proxytune/core/nearest.h"

namespace proxytune::datasets {

namespace {

using nlohmann::json;
using Path = std::filesystem::path;

/// One file name or a list of them, relative to the dataset.json.
std::vector<Path> files_of(const json& value, const Path& folder, const std::string& where) {
  std::vector<Path> files;
  const auto add = [&](const json& name) {
    if (!name.is_string() || name.get<std::string>().empty())
      throw core::DataError(where + " is no file name; write a path relative to dataset.json");
    const Path file = (folder / name.get<std::string>()).lexically_normal();
    std::error_code error;
    if (!std::filesystem::exists(file, error))
      throw core::DataError(where + " names " + file.string() +
                            ", which does not exist; check the entry or copy the file");
    files.push_back(file);
  };
  if (!value.is_array())
    add(value);
  else
    for (const json& name : value)
      add(name);
  if (files.empty())
    throw core::DataError(where + " is an empty list; name a file");
  return files;
}

Case read_entry(const json& entry, const Path& file, const Path& folder, std::size_t position) {
  const std::string where = file.string() + ": training entry " + std::to_string(position + 1);
  if (!entry.is_object() || !entry.contains("image"))
    throw core::DataError(where + " has no \"image\"; each entry needs an image and a label");
  Case one;
  one.images = files_of(entry["image"], folder, where + ", \"image\",");
  one.id = case_id(one.images.front());
  one.group = one.id;
  if (!entry.contains("label"))
    throw core::DataError(where + " (" + one.id +
                          ") has an image without label; add one or leave the entry out");
  const auto labels = files_of(entry["label"], folder, where + ", \"label\",");
  if (labels.size() != 1)
    throw core::DataError(where + " (" + one.id + ") has several labels; name one file");
  one.label = labels.front();
  return one;
}

bool excluded(const json& entry, const ReadOptions& options, const std::string& where) {
  if (options.exclude_key.empty() || !entry.is_object() || !entry.contains(options.exclude_key))
    return false;
  const std::string value = scalar_text(entry[options.exclude_key], where);
  return std::find(options.exclude_values.begin(), options.exclude_values.end(), value) !=
         options.exclude_values.end();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == std::string::npos)
    return "";
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

std::map<std::string, std::string> read_group_table(const Path& file) {
  std::map<std::string, std::string> groups;
  std::istringstream text(read_text(file));
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    if (trimmed(line).empty())
      continue;
    const auto comma = line.find(',');
    const std::string where = file.string() + ":" + std::to_string(number);
    if (comma == std::string::npos || line.find(',', comma + 1) != std::string::npos)
      throw core::DataError(where + ": a line of a group table is id,group");
    const std::string id = trimmed(line.substr(0, comma));
    const std::string group = trimmed(line.substr(comma + 1));
    if (number == 1 && id == "id")
      continue;
    if (id.empty() || group.empty())
      throw core::DataError(where +
                            ": a line of a group table is id,group, none of them empty");
    if (!groups.emplace(id, group).second)
      throw core::DataError(where + ": " + id + " is listed twice; give each case one group");
  }
  return groups;
}

void sort_by_id(std::vector<Case>& cases, const Path& file) {
  std::sort(
      cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(
      cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.id == b.id; });
  if (twice != cases.end())
    throw core::DataError(file.string() + " lists two cases named " + twice->id +
                          "; give their images different names");
}

void read_names(const json& root, const Path& file, Dataset& dataset) {
  if (root.contains("name"))
    dataset.name = scalar_text(root["name"], file.string() + ": \"name\"");
  // The Decathlon writes "modality", nnU-Net "channel_names"; both map an index to a name.
  for (const char* key : {"modality", "channel_names"})
    if (root.contains(key) && root[key].is_object())
      for (const auto& [index, name] : root[key].items())
        dataset.modalities.push_back(scalar_text(name, file.string() + ": \"" + key + "\""));
  if (!root.contains("labels") || !root["labels"].is_object())
    return;
  for (const auto& [value, name] : root["labels"].items()) {
    const bool number =
        !value.empty() && value.size() < 10 &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && name.is_string())
      dataset.labels[std::stoi(value)] = name.get<std::string>();
  }
}

}  // namespace

std::string case_id(const Path& image) {
  // A folder may be written with a slash at its end.
  std::string name = (image.has_filename() ? image : image.parent_path()).filename().string();
  for (const char* ending : {".gz",
                             ".nii",
                             ".hdr",
                             ".img",
                             ".nrrd",
                             ".nhdr",
                             ".mha",
                             ".mhd",
                             ".gipl",
                             ".vtk",
                             ".mrc",
                             ".map",
                             ".tif",
                             ".tiff",
                             ".spr",
                             ".sdt",
                             ".pic",
                             ".dcm"})
    if (name.ends_with(ending))
      name.resize(name.size() - std::string_view(ending).size());
  return name;
}

std::string nearest_case(const std::string& id, const std::vector<std::string>& known) {
  const std::string near = core::nearest(id, known);
  if (!near.empty())
    return "did you mean " + near + "?";
  return known.empty() ? "it has none" : "its ids look like " + known.front();
}

Dataset read_decathlon(const Path& file, const ReadOptions& options) {
  const json root = read_json(file);
  if (!root.is_object() || !root.contains("training") || !root["training"].is_array())
    throw core::DataError(file.string() +
                          " has no \"training\" list; it needs the Decathlon's layout");
  Dataset dataset;
  read_names(root, file, dataset);
  std::size_t position = 0;
  for (const json& entry : root["training"]) {
    const std::string where =
        file.string() + ": training entry " + std::to_string(position + 1);
    if (!excluded(entry, options, where + ", \"" + options.exclude_key + "\",")) {
      Case one = read_entry(entry, file, file.parent_path(), position);
      const std::string& key = options.group_key;
      if (!key.empty() && !entry.contains(key))
        throw core::DataError(where + " (" + one.id + ") has no \"" + key +
                              "\", which is to name its group");
      if (!key.empty())
        one.group = scalar_text(entry[key], where + ", \"" + key + "\",");
      dataset.cases.push_back(std::move(one));
    }
    ++position;
  }
  if (dataset.cases.empty())
    throw core::DataError(file.string() + " lists no training case" +
                          (position > 0 ? " that is not excluded" : "") +
                          "; a study needs labelled images");
  sort_by_id(dataset.cases, file);
  return dataset;
}

void read_groups(const Path& file, std::vector<Case>& cases) {
  const auto groups = read_group_table(file);
  std::vector<std::string> listed;
  for (const auto& [id, group] : groups)
    listed.push_back(id);
  for (Case& one : cases) {
    const auto found = groups.find(one.id);
    if (found == groups.end())
      throw core::DataError(file.string() + " has no line for the case " + one.id + " (" +
                            nearest_case(one.id, listed) + "); give every case its group");
    one.group = found->second;
  }
}

std::vector<Case> first_cases(const Dataset& dataset, int count) {
  const auto available = static_cast<int>(dataset.cases.size());
  if (count < 1 || count > available)
    throw core::ConfigurationError(std::to_string(count) + " cases of " + dataset.name +
                                   " are asked for, but it has " + std::to_string(available) +
                                   "; ask for 1 to " + std::to_string(available));
  return {dataset.cases.begin(), dataset.cases.begin() + count};
}

std::vector<Case> cases_by_id(const Dataset& dataset, const std::vector<std::string>& ids) {
  std::map<std::string, const Case*> known;
  std::vector<std::string> names;
  for (const Case& one : dataset.cases) {
    known[one.id] = &one;
    names.push_back(one.id);
  }
  std::vector<Case> chosen;
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    if (!known.contains(id))
      throw core::ConfigurationError("there is no case " + id + " in " + dataset.name + "; " +
                                     nearest_case(id, names));
    if (!seen.insert(id).second)
      throw core::ConfigurationError("the case " + id + " is listed twice; name it once");
    chosen.push_back(*known[id]);
  }
  std::sort(
      chosen.begin(), chosen.end(), [](const Case& a, const Case& b) { return a.id < b.id; });
  return chosen;
}

}  // namespace proxytune::datasets
