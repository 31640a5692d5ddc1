#include "proxytune/datasets/splits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "datasets/json_file.h"
#include "proxytune/core/error.h"

namespace proxytune::datasets {

namespace {

using nlohmann::json;

/// Positions by group; the map's order makes the draw independent of the list's.
std::map<std::string, std::vector<int>> members(const std::vector<std::string>& groups) {
  std::map<std::string, std::vector<int>> by_group;
  for (std::size_t i = 0; i < groups.size(); ++i)
    by_group[groups[i]].push_back(static_cast<int>(i));
  return by_group;
}

/// Of these groups in their drawn order, those that fit into `count` cases; the smallest if
/// none.
std::set<std::string> groups_for(const std::vector<std::string>& drawn,
                                 const std::map<std::string, std::vector<int>>& by_group,
                                 int count) {
  std::set<std::string> chosen;
  int missing = count;
  for (const std::string& group : drawn) {
    const auto size = static_cast<int>(by_group.at(group).size());
    if (size > missing)
      continue;
    chosen.insert(group);
    missing -= size;
  }
  if (chosen.empty())
    chosen.insert(*std::min_element(
        drawn.begin(), drawn.end(), [&](const std::string& a, const std::string& b) {
          return by_group.at(a).size() < by_group.at(b).size();
        }));
  return chosen;
}

const json& side(const json& split,
                 const char* ours,
                 const char* theirs,
                 const std::string& at) {
  for (const char* key : {ours, theirs})
    if (split.is_object() && split.contains(key) && split[key].is_array() &&
        !split[key].empty())
      return split[key];
  throw core::DataError(at + " has no ids under \"" + ours + "\" (or \"" + theirs +
                        "\"); both sides need at least one case");
}

class SplitReader {
 public:
  explicit SplitReader(const std::vector<Case>& cases) : cases_(cases) {
    for (const Case& one : cases) {
      positions_[one.id] = static_cast<int>(names_.size());
      names_.push_back(one.id);
    }
  }

  Split read(const json& split, const std::string& at) const {
    Split result;
    std::set<int> seen;
    result.training = read_side(side(split, "training", "train", at), at, seen);
    result.validation = read_side(side(split, "validation", "val", at), at, seen);
    std::map<std::string, std::string> trained;
    for (const int position : result.training)
      trained[case_at(position).group] = case_at(position).id;
    for (const int position : result.validation)
      if (const auto found = trained.find(case_at(position).group); found != trained.end())
        throw core::DataError(at + " trains on " + found->second + " and validates on " +
                              case_at(position).id + ", both of group " + found->first +
                              "; keep a patient on one side");
    return result;
  }

 private:
  const Case& case_at(int position) const { return cases_[static_cast<std::size_t>(position)]; }

  std::vector<int> read_side(const json& ids,
                             const std::string& at,
                             std::set<int>& seen) const {
    std::vector<int> positions;
    for (const json& value : ids) {
      const std::string id = scalar_text(value, at + ", an id");
      const auto found = positions_.find(id);
      if (found == positions_.end())
        throw core::DataError(at + " names the case " + id +
                              ", which the study does not have; " + nearest_case(id, names_));
      if (!seen.insert(found->second).second)
        throw core::DataError(at + " names " + id +
                              " twice; a case is trained on or validated on, once");
      positions.push_back(found->second);
    }
    std::sort(positions.begin(), positions.end());
    return positions;
  }

  const std::vector<Case>& cases_;
  std::map<std::string, int> positions_;
  std::vector<std::string> names_;
};

}  // namespace

int validation_count(int cases, double fraction) {
  return std::max(1, std::min(cases - 1, static_cast<int>(std::lround(fraction * cases))));
}

Split random_split(const std::vector<std::string>& groups,
                   int validation_count,
                   const core::RandomKey& key) {
  const auto by_group = members(groups);
  const auto cases = static_cast<int>(groups.size());
  if (validation_count < 1 || validation_count >= cases || by_group.size() < 2)
    throw core::ConfigurationError(
        std::to_string(validation_count) + " of " + std::to_string(cases) + " cases in " +
        std::to_string(by_group.size()) +
        " groups cannot be put aside for validation; both sides need a case and a group is "
        "never divided");
  std::vector<std::string> names;
  for (const auto& [name, positions] : by_group)
    names.push_back(name);
  std::vector<std::string> drawn;
  core::Random random(key);
  for (const int i : random.permutation(static_cast<int>(names.size())))
    drawn.push_back(names[static_cast<std::size_t>(i)]);
  const auto chosen = groups_for(drawn, by_group, validation_count);
  Split split;
  for (int i = 0; i < cases; ++i)
    (chosen.contains(groups[static_cast<std::size_t>(i)]) ? split.validation : split.training)
        .push_back(i);
  return split;
}

Split random_split(const std::vector<Case>& cases,
                   int validation_count,
                   const core::RandomKey& key) {
  std::vector<std::string> groups;
  for (const Case& one : cases)
    groups.push_back(one.group);
  return random_split(groups, validation_count, key);
}

std::vector<Split> read_splits(const std::filesystem::path& file,
                               const std::vector<Case>& cases) {
  const json root = read_json(file);
  if (!root.is_array() || root.empty())
    throw core::DataError(file.string() +
                          " is no list of splits; write [{\"training\": [ids], \"validation\": "
                          "[ids]}, ...]");
  const SplitReader reader(cases);
  std::vector<Split> splits;
  for (const json& split : root)
    splits.push_back(
        reader.read(split, file.string() + ": split " + std::to_string(splits.size() + 1)));
  return splits;
}

}  // namespace proxytune::datasets
