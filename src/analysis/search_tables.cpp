#include "proxytune/analysis/search_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>

#include "proxytune/analysis/statistics.h"

namespace proxytune::analysis {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double seconds_an_hour = 3600;

const SearchedArm* reference_of(const std::vector<SearchedArm>& arms) {
  const auto found =
      std::find_if(arms.begin(), arms.end(), [](const auto& arm) { return arm.reference; });
  return found == arms.end() ? nullptr : &*found;
}

Summary summary_of(const std::vector<const TrialRecord*>& trials, Score score) {
  std::vector<double> scores;
  for (const TrialRecord* trial : trials)
    scores.push_back(score_of(*trial, score));
  return summarise(scores);
}

/// External Dice by repeat: the final models share their splits.
std::map<std::int64_t, double> external_by_repeat(const SearchedArm& arm) {
  std::map<std::int64_t, double> scores;
  for (const TrialRecord* trial : arm.final_trials)
    scores[trial->spec.repeat] = score_of(*trial, Score::external);
  return scores;
}

MeanDifference external_difference(const SearchedArm& arm, const SearchedArm* reference) {
  std::vector<double> own, of_reference;
  if (reference != nullptr) {
    const auto others = external_by_repeat(*reference);
    for (const auto& [repeat, score] : external_by_repeat(arm))
      if (const auto other = others.find(repeat); other != others.end()) {
        own.push_back(score);
        of_reference.push_back(other->second);
      }
  }
  return paired_difference(own, of_reference);
}

double hours(const std::vector<const TrialRecord*>& trials, int devices) {
  double seconds = 0;
  for (const TrialRecord* trial : trials)
    seconds += trial->result.device_seconds;
  return seconds * devices / seconds_an_hour;
}

struct Cost {
  double search = nan, with_ranking = nan, with_training = nan;
  double epochs = nan, steps = nan;  // of all trials of the search
};

Cost cost_of(const SearchedArm& arm, int devices) {
  Cost cost;
  cost.search = hours(arm.search_trials, devices);
  cost.with_ranking = cost.search + arm.ranking_seconds / seconds_an_hour;
  cost.with_training = cost.with_ranking + hours(arm.final_trials, devices);
  cost.epochs = cost.steps = 0;
  for (const TrialRecord* trial : arm.search_trials) {
    cost.epochs += static_cast<double>(trial->result.loss.size());
    cost.steps += static_cast<double>(trial->result.steps);
  }
  return cost;
}

double ratio(double reference, double value) {
  return value > 0 ? reference / value : nan;
}

double required_number(const trials::HyperParameters& point, const std::string& name) {
  const std::optional<double> value = trials::number_of(point, name);
  if (!value)
    throw std::invalid_argument("no hyper-parameter with numbers is called " + name);
  return *value;
}

/// NaN where a logarithm has no place for a value: outside the space, such as a decay of 0.
double scaled_distance(double one, double other, const SearchRange& range) {
  if (range.logarithmic && !(one > 0 && other > 0))
    return nan;
  if (range.logarithmic)
    return std::abs(std::log(one / other) / std::log(range.high / range.low));
  return std::abs(one - other) / (range.high - range.low);
}

}  // namespace

core::Table table_2(const std::vector<SearchedArm>& arms) {
  std::vector<std::string> arm_names, data;
  std::vector<trials::HyperParameters> found;
  std::vector<double> validation, validation_deviation, external, external_deviation;
  std::vector<double> difference, difference_low, difference_high;
  std::vector<std::int64_t> searched, repeats;
  const SearchedArm* reference = reference_of(arms);
  for (const SearchedArm& arm : arms) {
    arm_names.push_back(arm.arm);
    data.push_back(arm.data_description);
    found.push_back(arm.found);
    searched.push_back(static_cast<std::int64_t>(arm.search_trials.size()));
    const Summary inside = summary_of(arm.final_trials, Score::validation);
    const Summary outside = summary_of(arm.final_trials, Score::external);
    validation.push_back(inside.mean);
    validation_deviation.push_back(inside.deviation);
    external.push_back(outside.mean);
    external_deviation.push_back(outside.deviation);
    repeats.push_back(inside.n);
    const MeanDifference from_reference = external_difference(arm, reference);
    difference.push_back(from_reference.value);
    difference_low.push_back(from_reference.interval.low);
    difference_high.push_back(from_reference.interval.high);
  }
  core::Table table{"/analysis/table_2",
                    "Full model on all data with the hyper-parameters each arm's search found "
                    "(paper, Table 2).",
                    {}};
  table.add("arm", "1", "Name of the arm whose search chose the hyper-parameters.", arm_names);
  table.add("data", "1", "Data that the search trained and validated on.", data);
  table.add("trials", "1", "Trials of the search.", searched);
  add_hyper_parameters(table, found);
  table.add("validation_dice", "1", "Mean validation Dice over the repeats.", validation);
  table.add("validation_dice_deviation",
            "1",
            "Sample standard deviation of the validation Dice over the repeats.",
            validation_deviation);
  table.add("external_dice", "1", "Mean external Dice over the repeats.", external);
  table.add("external_dice_deviation",
            "1",
            "Sample standard deviation of the external Dice over the repeats.",
            external_deviation);
  table.add("repeats", "1", "Final trainings that completed.", repeats);
  table.add("difference",
            "1",
            "Mean over the repeats of the external Dice less the reference's of that repeat.",
            difference);
  table.add("difference_low", "1", "Lower end of its 95 % interval (Student).", difference_low);
  table.add("difference_high", "1", "Upper end.", difference_high);
  return table;
}

core::Table table_2_costs(const std::vector<SearchedArm>& arms, int devices_per_trial) {
  const SearchedArm* reference = reference_of(arms);
  const Cost full = reference == nullptr ? Cost{} : cost_of(*reference, devices_per_trial);
  std::vector<std::string> arm_names;
  std::vector<double> search, ranking, training, search_gain, ranking_gain, training_gain;
  std::vector<double> fewer_epochs, fewer_steps, faster_steps;
  for (const SearchedArm& arm : arms) {
    const Cost cost = cost_of(arm, devices_per_trial);
    arm_names.push_back(arm.arm);
    search.push_back(cost.search);
    ranking.push_back(cost.with_ranking);
    training.push_back(cost.with_training);
    search_gain.push_back(ratio(full.search, cost.search));
    ranking_gain.push_back(ratio(full.with_ranking, cost.with_ranking));
    training_gain.push_back(ratio(full.with_training, cost.with_training));
    fewer_epochs.push_back(ratio(full.epochs, cost.epochs));
    fewer_steps.push_back(ratio(full.steps, cost.steps) / fewer_epochs.back());
    faster_steps.push_back(search_gain.back() / ratio(full.steps, cost.steps));
  }
  core::Table table{"/execution/table_2_costs",
                    "Device-hours of each arm's search: wall time x devices (paper, Table 2).",
                    {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("search_hours", "device-hour", "The search's trials alone.", search);
  table.add("with_ranking_hours",
            "device-hour",
            "With the pair matrix that chose the data.",
            ranking);
  table.add("with_training_hours", "device-hour", "And with the final full models.", training);
  table.add("search_ratio", "1", "Reference's hours of search over this arm's.", search_gain);
  table.add("with_ranking_ratio", "1", "The same with the ranking.", ranking_gain);
  table.add("with_training_ratio", "1", "The same with the final training too.", training_gain);
  table.add(
      "fewer_epochs",
      "1",
      "Part of search_ratio, the product of the three, that fewer epochs give (trials that "
      "were stopped early, fewer trials).",
      fewer_epochs);
  table.add(
      "fewer_steps", "1", "Part that fewer steps an epoch give (less data).", fewer_steps);
  table.add(
      "faster_steps",
      "1",
      "Part that less device time a step gives (smaller network), its share of validation "
      "included.",
      faster_steps);
  return table;
}

core::Table relative_distances(const std::vector<SearchedArm>& arms,
                               const std::vector<SearchRange>& ranges) {
  const SearchedArm* reference = reference_of(arms);
  std::vector<std::string> arm_names, fields;
  std::vector<double> found, wanted, scaled, relative;
  const auto add = [&](const std::string& arm,
                       const std::string& field,
                       double value,
                       double of_reference,
                       double distance,
                       double share) {
    arm_names.push_back(arm);
    fields.push_back(field);
    found.push_back(value);
    wanted.push_back(of_reference);
    scaled.push_back(distance);
    relative.push_back(share);
  };
  for (const SearchedArm& arm : arms) {
    if (reference == nullptr)
      break;
    double squares = 0;
    for (const SearchRange& range : ranges) {
      const double value = required_number(arm.found, range.hyper_parameter);
      const double target = required_number(reference->found, range.hyper_parameter);
      const double distance = scaled_distance(value, target, range);
      squares += std::isnan(distance) ? 0 : distance * distance;
      const double share = target == 0 ? nan : std::abs(value - target) / std::abs(target);
      add(arm.arm, range.hyper_parameter, value, target, distance, share);
    }
    add(arm.arm, "all", nan, nan, std::sqrt(squares), nan);
  }
  core::Table table{
      "/analysis/relative_distances",
      "Distance of found hyper-parameters to the reference's (paper, Fig. 4C and D).",
      {}};
  table.add("arm", "1", "Name of the arm.", arm_names);
  table.add("hyper_parameter", "1", "Which hyper-parameter, or all of them.", fields);
  table.add("found", "1", "Value that the arm's search found.", found);
  table.add("reference", "1", "Value that the reference's search found.", wanted);
  table.add(
      "scaled_distance",
      "1",
      "Absolute difference on the search range scaled to 0..1; for all: their Euclidean norm.",
      scaled);
  table.add(
      "relative_distance", "1", "Absolute difference over the reference's value.", relative);
  return table;
}

}  // namespace proxytune::analysis
