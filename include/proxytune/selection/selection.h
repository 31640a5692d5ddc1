#pragma once

#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/core/table.h"

namespace proxytune::selection {

/// Positions of cases, ascending.
struct SelectedCases {
  std::vector<int> training, validation;
  bool operator==(const SelectedCases&) const = default;
};

/// Throws core::ConfigurationError unless the budget is even, at least 2, and at most
/// `volumes`.
void check_budget(int budget, int volumes);

/// The baseline: `budget` of n volumes at random, ascending. A key a repeat draws them anew.
std::vector<int> random_baseline(int volumes, int budget, const core::RandomKey& key);

/// Half of the cases for training, half for validation, drawn by the repeat's key. Equal cases
/// in another order split alike.
SelectedCases split_in_half(const std::vector<int>& cases, const core::RandomKey& key);

/// Who is in the proxy data of one arm and repeat, for the table.
struct Selection {
  std::string arm;
  int repeat = 0;
  SelectedCases cases;
};

/// One row a selected case: arm, repeat, name, "training" or "validation".
core::Table selection_table(const std::vector<Selection>& selections,
                            const std::vector<std::string>& names,
                            const std::string& path);

}  // namespace proxytune::selection
