#pragma once

#include <string>
#include <vector>

#include "proxytune/analysis/arms.h"

namespace proxytune::analysis {

/// What an arm's search found, and what became of it.
struct SearchedArm {
  std::string arm;
  std::string data_description;
  bool reference = false;  // all data, full network
  trials::HyperParameters found;
  std::vector<const TrialRecord*> search_trials;
  std::vector<const TrialRecord*> final_trials;  // full network, all data, one a repeat
  double ranking_seconds = 0;  // device time of the pair matrix; 0 if not ranked
};

/// The range of a searched hyper-parameter with numbers: "learning_rate",
/// "training.patches_per_case".
struct SearchRange {
  std::string hyper_parameter;
  double low = 0, high = 1;
  bool logarithmic = false;
};

/// Table 2 of the paper, /analysis/table_2: found hyper-parameters and the final full models'
/// Dice, with its mean difference from the reference's, pair by pair of repeats.
core::Table table_2(const std::vector<SearchedArm>& arms);

/// Table 2's hours, /execution/table_2_costs: wall time x devices of the search alone, with
/// the ranking, and with the final training; and how many times less that is than the
/// reference's, which for the search is a product: of fewer epochs, fewer steps an epoch and
/// less time a step. A trial that several arms share counts fully for each.
core::Table table_2_costs(const std::vector<SearchedArm>& arms, int devices_per_trial);

/// Fig. 4C and D, /analysis/relative_distances: how far found hyper-parameters lie from the
/// reference's, both readings: difference on the range scaled to [0, 1] (its logarithm where
/// the search's is), and |h - reference| / reference. The row "all" is the Euclidean norm of
/// the first.
core::Table relative_distances(const std::vector<SearchedArm>& arms,
                               const std::vector<SearchRange>& ranges);

}  // namespace proxytune::analysis
