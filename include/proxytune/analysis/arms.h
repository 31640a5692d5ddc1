#pragma once

#include <span>
#include <string>
#include <vector>

#include "proxytune/analysis/trial_record.h"
#include "proxytune/core/table.h"

namespace proxytune::analysis {

/// A trial at its place in the sweep: grid point and repeat.
struct PlacedTrial {
  int hyper_parameters = 0;  // index into the grid, the same for all arms
  int repeat = 0;
  const TrialRecord* trial = nullptr;
};

/// The trials of one arm; missing and failed ones leave NaN. One arm is the reference: all
/// data, full network.
struct ArmTrials {
  std::string arm;
  std::string data_description;  // e.g. "mutual information, label crop, 10 cases"
  std::vector<PlacedTrial> trials;
  bool reference = false;
};

enum class Score { validation, external };
inline constexpr core::Name<Score> names_of_score[] = {{Score::validation, "validation"},
                                                       {Score::external, "external"}};
constexpr std::span<const core::Name<Score>> names(Score) {
  return names_of_score;
}

/// Mean foreground Dice of a completed trial; NaN of any other.
double score_of(const TrialRecord& trial, Score score);

/// An arm's scores, (grid point, repeat) in C order.
struct ScoreGrid {
  int points = 0, repeats = 0;
  std::vector<double> values;

  /// Of one grid point, all repeats.
  std::vector<double> row(int point) const;
  /// Over the repeats that have a score, one a grid point.
  std::vector<double> means() const;
};

/// Extents that hold every placed trial of every arm.
struct GridExtents {
  int points = 0, repeats = 0;
};
GridExtents extents(const std::vector<ArmTrials>& arms);
ScoreGrid score_grid(const ArmTrials& arm, Score score, const GridExtents& extents);

/// The reference arm; null where none is marked.
const ArmTrials* reference_of(const std::vector<ArmTrials>& arms);

/// Whether wherever both have a trial at the same place, training and validation cases are
/// equal, and there is such a place: then validation scores compare like with like (Fig. 3).
bool same_data(const ArmTrials& one, const ArmTrials& other);

}  // namespace proxytune::analysis
