#include "jobs/study_options.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "jobs/early_stopping.h"
#include "jobs/searched_options.h"
#include "proxytune/config/options.h"
#include "proxytune/core/duration.h"

namespace proxytune::jobs {
namespace {

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& items) {
  std::vector<std::string> result;
  for (const Named& item : items)
    result.push_back(item.name);
  return result;
}

std::string listed(const std::vector<std::string>& words) {
  return config::detail::join(words);
}

template <class Named>
void refuse_repeated_names(const std::vector<Named>& items, const std::string& field) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!seen.insert(items[i].name).second)
      throw core::FieldError(
          fmt::format("{}.{}.name", field, i),
          fmt::format("is \"{}\", which an earlier one has; give it a name of its own",
                      items[i].name));
}

void need_known(const std::string& name,
                const std::vector<std::string>& known,
                const std::string& field,
                const std::string& kind) {
  if (std::find(known.begin(), known.end(), name) != known.end())
    return;
  const std::string near = config::nearest(name, known);
  throw core::FieldError(field,
                         fmt::format("is \"{}\", which is no {} of this study;{} there are: {}",
                                     name,
                                     kind,
                                     near.empty() ? "" : " did you mean \"" + near + "\"?",
                                     listed(known)));
}

void need_name(const std::string& name) {
  if (name.empty())
    throw core::FieldError("name", "is missing; give each one a name");
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
  });
  if (!plain)
    throw core::FieldError("name",
                           fmt::format("is \"{}\", but it becomes a path in the results: use "
                                       "a-z, A-Z, 0-9, _ and - only",
                                       name));
}

void at_least(int value, int least, const std::string& field) {
  if (value < least)
    throw core::FieldError(field,
                           fmt::format("is {}, but it must be {} or more", value, least));
}

void need_reference(const StudyOptions& options,
                    const std::vector<std::string>& arms,
                    const std::string& field) {
  if (!arms.empty() && std::find(arms.begin(), arms.end(), options.reference) == arms.end())
    throw core::FieldError(
        field,
        fmt::format("leaves out the reference arm \"{}\", which all others are "
                    "compared with; add it, or name another reference",
                    options.reference));
}

std::vector<ArmOptions> choose(const StudyOptions& options,
                               const std::vector<std::string>& names) {
  if (names.empty())
    return options.arms;
  std::vector<ArmOptions> chosen;
  for (const ArmOptions& arm : options.arms)
    if (std::find(names.begin(), names.end(), arm.name) != names.end())
      chosen.push_back(arm);
  return chosen;
}

}  // namespace

void validate(const DataOptions& options) {
  if (options.internal.empty())
    throw core::FieldError("internal", "is missing; name the dataset.json of your volumes");
  at_least(options.cases, 0, "cases");
  at_least(options.external_cases, 0, "external_cases");
  at_least(options.validation_cases, 0, "validation_cases");
  for (const int channel : options.channels)
    at_least(channel, 0, "channels");
  for (const auto& [raw, label] : options.labels)
    if (label < 0 || label > 255)
      throw core::FieldError(
          "labels",
          fmt::format("gives raw value {} the class {}, but classes are 0 to "
                      "255, 0 being background",
                      raw,
                      label));
  if (options.exclude_key.empty() != options.exclude_values.empty())
    throw core::FieldError("exclude_key",
                           "and exclude_values go together: give both, or neither");
  if (!options.group_key.empty() && !options.group_table.empty())
    throw core::FieldError("group_table", "and group_key exclude each other: give one");
}

void validate(const NetworkOptions& options) {
  need_name(options.name);
  validate(options.unet);
}

void validate(const ArmOptions& options) {
  need_name(options.name);
  validate(options.importance);
  if (options.data == ArmData::all)
    return;
  if (options.budget < 2 || options.budget % 2 != 0)
    throw core::FieldError(
        "budget",
        fmt::format(
            "is {}, but half of the cases train and half validate: use an even number of "
            "2 or more (paper: 4, 6, 8, 10)",
            options.budget));
}

void validate(const SweepSection& options) {
  validate(options.grid);
}
void validate(const SearchSection& options) {
  trials::validate(options.base);
  validate(options.options);
}
void validate(const FinalOptions& options) {
  at_least(options.repeats, 1, "repeats");
  if (options.ranks_per_trial < 0)
    throw core::FieldError(
        "ranks_per_trial",
        fmt::format("is {}, but ranks are counted: use 1 or more, or 0 for as many as "
                    "compute.ranks_per_trial",
                    options.ranks_per_trial));
}
void validate(const ComputeOptions& options) {
  at_least(options.threads_per_trial, 1, "threads_per_trial");
  if (options.threads_per_trial > 256)
    throw core::FieldError(
        "threads_per_trial",
        fmt::format("is {}, but no trial gains from more than 256 threads; use "
                    "the cores of a rank",
                    options.threads_per_trial));
  const std::optional<int> trials = options.fixed_trials_per_device();
  if (options.trials_per_device != "auto" &&
      !(trials && *trials >= 1 && *trials <= most_trials_per_device))
    throw core::FieldError(
        "trials_per_device",
        fmt::format("is \"{}\", but it is how many trials a rank runs at once: use a whole "
                    "number from 1 to {}, or auto",
                    options.trials_per_device,
                    most_trials_per_device));
  at_least(options.ranks_per_trial, 1, "ranks_per_trial");
  if (options.ranks_per_trial > 1 && trials && *trials > 1)
    throw core::FieldError(
        "trials_per_device",
        fmt::format("is {}, but ranks that share a trial (ranks_per_trial is {}) do one at a "
                    "time: use 1 or auto, or 1 rank a trial",
                    *trials,
                    options.ranks_per_trial));
  at_least(options.max_attempts, 1, "max_attempts");
  if (!(options.checkpoint_interval >= 0))
    throw core::FieldError("checkpoint_interval",
                           fmt::format("is {}, but it is a time in seconds: use 0 (only at a "
                                       "stop) or more",
                                       options.checkpoint_interval));
  if (!(options.grace > 0))
    throw core::FieldError("grace",
                           fmt::format("is {}, but ranks need some time to end: use seconds "
                                       "above 0",
                                       options.grace));
  if (!(options.hang_timeout == 0 || options.hang_timeout >= 1))
    throw core::FieldError("hang_timeout",
                           fmt::format("is {}, but a step of a trial takes longer: use 1 s or "
                                       "more, well above the longest step, case or tile, or 0 "
                                       "for no end to patience",
                                       options.hang_timeout));
  if (options.time_limit.empty())
    return;
  const std::optional<double> limit = core::seconds_of(options.time_limit);
  if (!limit)
    throw core::FieldError("time_limit",
                           fmt::format("is \"{}\", but it is a time: use seconds, or units as "
                                       "in 90m, 1h30m and 2d",
                                       options.time_limit));
  if (*limit <= options.grace)
    throw core::FieldError(
        "time_limit",
        fmt::format("is {}, which leaves nothing beside the {:g} s of compute.grace in which "
                    "all ranks end: use more time, or less grace",
                    options.time_limit,
                    options.grace));
}
void validate(const OutputOptions& options) {
  if (options.folder.empty())
    throw core::FieldError("folder", "is empty; name the folder that results go to");
}

/// A sample of pairs estimates means of rows, and nothing else that arms may ask for.
void refuse_what_a_sample_cannot(const StudyOptions& options) {
  if (options.similarity.sampled_pairs == 0)
    return;
  for (std::size_t i = 0; i < options.arms.size(); ++i) {
    const ArmOptions& arm = options.arms[i];
    if (arm.data == ArmData::proxy &&
        (arm.importance.importance != selection::Statistic::mean ||
         arm.selector != selection::Selector::least_similar))
      throw core::FieldError(
          fmt::format("arms.{}", i),
          fmt::format("{} asks for more of the pair matrix than the means that "
                      "similarity.sampled_pairs estimates: use importance mean and selector "
                      "least_similar, or compare all pairs (sampled_pairs: 0)",
                      arm.name));
  }
}

void validate(const StudyOptions& options) {
  refuse_repeated_names(options.networks, "networks");
  refuse_repeated_names(options.arms, "arms");
  const auto networks = names_of(options.networks);
  const auto arms = names_of(options.arms);
  for (std::size_t i = 0; i < options.arms.size(); ++i)
    need_known(options.arms[i].network, networks, fmt::format("arms.{}.network", i), "network");
  need_known(options.reference, arms, "reference", "arm");
  for (std::size_t i = 0; i < options.sweep.arms.size(); ++i)
    need_known(options.sweep.arms[i], arms, fmt::format("sweep.arms.{}", i), "arm");
  for (std::size_t i = 0; i < options.search.arms.size(); ++i)
    need_known(options.search.arms[i], arms, fmt::format("search.arms.{}", i), "arm");
  if (const auto& halving = options.search.options.halving)
    for (std::size_t i = 0; i < halving->rungs.size(); ++i)
      if (const std::string& arm = halving->rungs[i].arm; !arm.empty())
        need_known(arm, arms, fmt::format("search.halving.rungs.{}.arm", i), "arm");
  need_known(options.final_training.network, networks, "final_training.network", "network");

  refuse_what_a_sample_cannot(options);
  need_reference(options, options.sweep.arms, "sweep.arms");
  need_reference(options, options.search.arms, "search.arms");
  resolved_search(options);
  check_early_stopping(options);
  for (const std::string& name : options.used_networks()) {
    network::check_patch(options.network(name).unet,
                         options.training.patch,
                         fmt::format("training.patch (network {})", name));
    network::check_patch(options.network(name).unet,
                         options.training.window,
                         fmt::format("training.window (network {})", name));
  }
}

int StudyOptions::final_ranks_per_trial() const {
  return final_training.ranks_per_trial > 0 ? final_training.ranks_per_trial
                                            : compute.ranks_per_trial;
}

std::optional<int> ComputeOptions::fixed_trials_per_device() const {
  int number = 0;
  const char* const last = trials_per_device.data() + trials_per_device.size();
  const auto [end, error] = std::from_chars(trials_per_device.data(), last, number);
  return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

std::set<std::string> StudyOptions::used_networks() const {
  std::set<std::string> used{final_training.network};
  for (const ArmOptions& arm : arms)
    used.insert(arm.network);
  return used;
}

const NetworkOptions& StudyOptions::network(const std::string& network_name) const {
  return *std::find_if(networks.begin(), networks.end(), [&](const NetworkOptions& n) {
    return n.name == network_name;
  });
}

const ArmOptions& StudyOptions::arm(const std::string& arm_name) const {
  const auto found = std::find_if(
      arms.begin(), arms.end(), [&](const ArmOptions& a) { return a.name == arm_name; });
  if (found == arms.end())
    throw core::ConfigurationError(fmt::format(
        "\"{}\" is no arm of this study; there are: {}", arm_name, listed(names_of(arms))));
  return *found;
}

std::vector<ArmOptions> StudyOptions::sweep_arms() const {
  return choose(*this, sweep.arms);
}
std::vector<ArmOptions> StudyOptions::search_arms() const {
  return choose(*this, search.arms);
}

StudyOptions read_study(const config::Node& root) {
  StudyOptions options;
  config::read(root, "", options);
  return options;
}

std::filesystem::path resolve_path(const std::string& path, const std::string& study_file) {
  std::string expanded;
  for (std::size_t i = 0; i < path.size();) {
    const std::size_t end =
        path.compare(i, 2, "${") == 0 ? path.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      expanded += path[i++];
      continue;
    }
    const std::string name = path.substr(i + 2, end - i - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr)
      throw core::ConfigurationError(
          fmt::format("the study says {}, but the environment variable {} is not set; export "
                      "{}=/your/folder",
                      path,
                      name,
                      name));
    expanded += value;
    i = end + 1;
  }
  const std::filesystem::path result(expanded);
  if (result.is_absolute())
    return result.lexically_normal();
  return (std::filesystem::absolute(study_file).parent_path() / result).lexically_normal();
}

}  // namespace proxytune::jobs
