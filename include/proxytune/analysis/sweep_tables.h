#pragma once

#include <vector>

#include "proxytune/analysis/arms.h"

namespace proxytune::analysis {

/// Table 1 of the paper, /analysis/table_1: each arm's validation and external Dice over its
/// repeats at one grid point, chosen twice: by the reference's best mean external Dice, as the
/// paper did (which looks at the test data), and by its best mean validation Dice, as one
/// should. No rows without a reference that has scores.
core::Table table_1(const std::vector<ArmTrials>& arms);

/// Fig. 2 and 3, /analysis/correlations: each arm against the reference, external Dice where
/// there is an external set, validation Dice where the arm has the reference's data; over all
/// (grid point, repeat) pairs and over grid points averaged over repeats.
core::Table correlations(const std::vector<ArmTrials>& arms);

/// The points of Fig. 2 and 3, /analysis/points: one row an arm, grid point and repeat.
core::Table sweep_points(const std::vector<ArmTrials>& arms);

/// Fig. 4A and B, /analysis/dice_against_budget: Dice against the cases that an arm uses.
core::Table dice_against_budget(const std::vector<ArmTrials>& arms);

}  // namespace proxytune::analysis
