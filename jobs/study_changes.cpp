#include "jobs/study_changes.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "jobs/replay.h"
#include "proxytune/config/options.h"

namespace proxytune::jobs {
namespace {

using study::Effect;
using study::FieldClass;

const FieldClass no_effect{Effect::none, {}};
const FieldClass extends{Effect::extends, {}};

FieldClass invalidates(std::vector<std::string> which) {
  return {Effect::invalidates, std::move(which)};
}

/// "arms.NAME/budget" and "search.space.2.low" as the documentation has them.
std::string documented_path(const std::string& field) {
  static const std::vector<std::string> lists{
      "arms", "networks", "search.space", "search.halving.rungs"};
  for (const std::string& list : lists) {
    const std::size_t begin = list.size() + 1;
    const std::size_t end = field.find_first_of(list.starts_with("search.") ? "." : "/", begin);
    if (field.starts_with(list + ".") && end != std::string::npos)
      return list + "[]." + field.substr(end + 1);
  }
  return field;
}

/// Of a field that an earlier version did not know: nothing but its default could be meant.
bool is_default(const study::Change& change) {
  static const std::map<std::string, std::string> defaults = [] {
    std::map<std::string, std::string> texts;
    for (const auto& row : config::describe_fields<StudyOptions>())
      texts[row.path] = row.default_text;
    return texts;
  }();
  const auto found = defaults.find(documented_path(change.field));
  return !change.before && found != defaults.end() && found->second == *change.after;
}

}  // namespace

const std::vector<std::string>& stages() {
  static const std::vector<std::string> all{
      "preprocess", "rank", "select", "sweep", "search", "train"};
  return all;
}

study::Fields named_fields(const StudyOptions& options) {
  study::Fields fields = config::flatten(options);
  const auto rename =
      [&](const std::string& list, std::size_t position, const std::string& name) {
        const std::string old_prefix = fmt::format("{}.{}.", list, position);
        study::Fields renamed;
        for (auto& [path, text] : fields)
          renamed[path.starts_with(old_prefix)
                      ? list + "." + name + "/" + path.substr(old_prefix.size())
                      : path] = text;
        fields = std::move(renamed);
      };
  for (std::size_t i = 0; i < options.arms.size(); ++i)
    rename("arms", i, options.arms[i].name);
  for (std::size_t i = 0; i < options.networks.size(); ++i)
    rename("networks", i, options.networks[i].name);
  return fields;
}

std::vector<study::Change> changes_between(const study::Fields& before,
                                           const study::Fields& after) {
  std::vector<study::Change> changes = study::compare(before, after, field_classes());
  std::erase_if(changes, is_default);
  for (study::Change& change : changes) {
    const bool named =
        change.field.starts_with("arms.") || change.field.starts_with("networks.");
    if (named && change.before && change.after)
      change.meaning = invalidates({"select", "sweep", "search", "train"});
    // More or fewer trials of a list leave those that are there alone.
    if (change.field.starts_with(replayed_trials) && !(change.before && change.after))
      change.meaning = extends;
  }
  return changes;
}

const study::FieldClasses& field_classes() {
  const std::vector<std::string> trials{"sweep", "search", "train"};
  // What is not named here (data, preprocessing, seed) changes everything.
  static const study::FieldClasses classes(
      {
          {"name", no_effect},
          {"output", no_effect},
          // Threads, precision and reduction are part of the numerics fingerprint, which is
          // frozen by itself.
          {"compute", no_effect},
          {"failures", no_effect},
          {"reference", no_effect},
          {"data.near_duplicate", no_effect},
          {"arms", extends},
          {"networks", extends},
          {"sweep.arms", extends},
          {"sweep.optimizers", extends},
          {"sweep.learning_rates", extends},
          {"sweep.repeats", extends},
          {"sweep", invalidates({"sweep"})},
          {"search.arms", extends},
          {"search.trials", extends},
          {"search", invalidates({"search", "train"})},
          {"final_training.repeats", extends},
          {"final_training.ranks_per_trial", no_effect},
          {"final_training", invalidates({"train"})},
          {"similarity.tile", no_effect},
          {"similarity.memory", no_effect},
          {"similarity.threads", no_effect},
          {"similarity.device", no_effect},
          {"similarity.device_memory", no_effect},
          {"similarity", invalidates({"rank", "select", "sweep", "search", "train"})},
          {"data.validation_cases", invalidates({"select", "sweep", "search", "train"})},
          {"data.splits", invalidates({"select", "sweep", "search", "train"})},
          {"data.group_key", invalidates({"select", "sweep", "search", "train"})},
          {"data.group_table", invalidates({"select", "sweep", "search", "train"})},
          {"data.external", invalidates(trials)},
          {"data.external_cases", invalidates(trials)},
          {"data.external_case_list", invalidates(trials)},
          {"training", invalidates(trials)},
      },
      stages());
  return classes;
}

std::string result_fields_text(const StudyOptions& options) {
  StudyOptions kept = options;
  kept.compute = {};
  kept.final_training.ranks_per_trial = 0;
  kept.failures = {};
  kept.output = {};
  const similarity::SimilarityOptions plain;
  kept.similarity.tile = plain.tile;
  kept.similarity.memory = plain.memory;
  kept.similarity.threads = plain.threads;
  kept.similarity.device = plain.device;
  kept.similarity.device_memory = plain.device_memory;
  return config::to_yaml(kept);
}

}  // namespace proxytune::jobs
