#include "proxytune/analysis/arms.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "proxytune/analysis/statistics.h"

namespace proxytune::analysis {

double score_of(const TrialRecord& trial, Score score) {
  if (!trials::succeeded(trial.result.status))
    return std::numeric_limits<double>::quiet_NaN();
  return score == Score::validation ? trial.result.best_validation_dice
                                    : trial.external.scores.mean();
}

std::vector<double> ScoreGrid::row(int point) const {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(point) * repeats;
  return {begin, begin + repeats};
}

std::vector<double> ScoreGrid::means() const {
  std::vector<double> result;
  for (int point = 0; point < points; ++point)
    result.push_back(mean(row(point)));
  return result;
}

GridExtents extents(const std::vector<ArmTrials>& arms) {
  GridExtents result;
  for (const ArmTrials& arm : arms)
    for (const PlacedTrial& placed : arm.trials) {
      result.points = std::max(result.points, placed.hyper_parameters + 1);
      result.repeats = std::max(result.repeats, placed.repeat + 1);
    }
  return result;
}

ScoreGrid score_grid(const ArmTrials& arm, Score score, const GridExtents& extents) {
  ScoreGrid grid{extents.points, extents.repeats, {}};
  const auto repeats = static_cast<std::size_t>(grid.repeats);
  grid.values.assign(static_cast<std::size_t>(grid.points) * repeats,
                     std::numeric_limits<double>::quiet_NaN());
  for (const PlacedTrial& placed : arm.trials)
    if (placed.trial != nullptr)
      grid.values.at(static_cast<std::size_t>(placed.hyper_parameters) * repeats +
                     static_cast<std::size_t>(placed.repeat)) = score_of(*placed.trial, score);
  return grid;
}

const ArmTrials* reference_of(const std::vector<ArmTrials>& arms) {
  const auto found = std::find_if(
      arms.begin(), arms.end(), [](const ArmTrials& arm) { return arm.reference; });
  return found == arms.end() ? nullptr : &*found;
}

bool same_data(const ArmTrials& one, const ArmTrials& other) {
  std::map<std::pair<int, int>, const trials::TrialSpec*> specs;
  for (const PlacedTrial& placed : other.trials)
    if (placed.trial != nullptr)
      specs[{placed.hyper_parameters, placed.repeat}] = &placed.trial->spec;
  bool met = false;
  for (const PlacedTrial& placed : one.trials) {
    const auto found = specs.find({placed.hyper_parameters, placed.repeat});
    if (placed.trial == nullptr || found == specs.end())
      continue;
    const trials::TrialSpec& spec = placed.trial->spec;
    if (spec.training_cases != found->second->training_cases ||
        spec.validation_cases != found->second->validation_cases)
      return false;
    met = true;
  }
  return met;
}

}  // namespace proxytune::analysis
