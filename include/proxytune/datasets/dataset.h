#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace proxytune::datasets {

/// One labelled image as a data set lists it; its id is the first image's name without endings.
struct Case {
  std::string id;
  std::vector<std::filesystem::path> images;  // one file, or one a channel
  std::filesystem::path label;
  std::string group;  // patient; the id where nothing says otherwise
};

struct Dataset {
  std::string name;
  std::vector<std::string> modalities;
  std::map<int, std::string> labels;
  std::vector<Case> cases;  // sorted by id
};

struct ReadOptions {
  std::string group_key{};    // key of an entry that names its patient; empty: none
  std::string exclude_key{};  // leave out entries whose value of this key ...
  std::vector<std::string> exclude_values{};  // ... is one of these
};

/// The training list of a Medical Segmentation Decathlon dataset.json; its paths are relative
/// to the file. Throws core::DataError: malformed JSON (with line), no cases, an image without
/// label, a file that is missing, two cases of one id.
Dataset read_decathlon(const std::filesystem::path& file, const ReadOptions& options = {});

/// The first `count` cases (by id). Throws core::ConfigurationError if there are fewer.
std::vector<Case> first_cases(const Dataset& dataset, int count);
/// The cases of these ids, sorted by id, so that no result depends on the order in which they
/// were typed. Throws core::ConfigurationError for an unknown id, naming the nearest, and for
/// one named twice.
std::vector<Case> cases_by_id(const Dataset& dataset, const std::vector<std::string>& ids);

/// Takes the cases' groups from a CSV file of lines id,group; a first line "id,group" is a
/// heading, lines of other cases are passed over. Throws core::DataError for lines of another
/// form and for the first case without one: to divide a patient unseen is worse than to stop.
void read_groups(const std::filesystem::path& file, std::vector<Case>& cases);

/// A file name without folder and image endings: "a/b_1.nii.gz" -> "b_1".
std::string case_id(const std::filesystem::path& image);

/// What to say of an id that is not among the known ones: the nearest, or what they look like.
std::string nearest_case(const std::string& id, const std::vector<std::string>& known);

}  // namespace proxytune::datasets
