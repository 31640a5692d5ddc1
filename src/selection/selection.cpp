#include "proxytune/selection/selection.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::selection {
namespace {

std::vector<int> ascending(std::vector<int> cases) {
  std::sort(cases.begin(), cases.end());
  return cases;
}

}  // namespace

void check_budget(int budget, int volumes) {
  if (budget < 2 || budget % 2 != 0)
    throw core::ConfigurationError("the budget is " + std::to_string(budget) +
                                   ", but half of the proxy data trains and half validates, so "
                                   "it needs an even budget of at "
                                   "least 2; the paper uses 4, 6, 8 and 10.");
  if (budget > volumes)
    throw core::ConfigurationError("the budget is " + std::to_string(budget) +
                                   ", but there are only " + std::to_string(volumes) +
                                   " internal volumes. Use a smaller budget, or more volumes.");
}

std::vector<int> random_baseline(int volumes, int budget, const core::RandomKey& key) {
  check_budget(budget, volumes);
  std::vector<int> drawn = core::Random(key.with("random baseline")).permutation(volumes);
  drawn.resize(static_cast<std::size_t>(budget));
  return ascending(std::move(drawn));
}

SelectedCases split_in_half(const std::vector<int>& cases, const core::RandomKey& key) {
  const int count = static_cast<int>(cases.size());
  check_budget(count, count);
  const std::vector<int> sorted = ascending(cases);
  const auto order = core::Random(key.with("split in half")).permutation(count);
  SelectedCases split;
  for (int i = 0; i < count; ++i) {
    const int chosen = sorted[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
    (i < count / 2 ? split.training : split.validation).push_back(chosen);
  }
  return {ascending(split.training), ascending(split.validation)};
}

core::Table selection_table(const std::vector<Selection>& selections,
                            const std::vector<std::string>& names,
                            const std::string& path) {
  std::vector<std::string> arms;
  std::vector<std::int64_t> repeats;
  std::vector<std::string> cases;
  std::vector<std::string> uses;
  const auto add = [&](const Selection& selection, int position, const char* use) {
    arms.push_back(selection.arm);
    repeats.push_back(selection.repeat);
    cases.push_back(names.at(static_cast<std::size_t>(position)));
    uses.emplace_back(use);
  };
  for (const Selection& selection : selections) {
    for (const int position : selection.cases.training)
      add(selection, position, "training");
    for (const int position : selection.cases.validation)
      add(selection, position, "validation");
  }
  core::Table table{path, "The cases that each arm and repeat trains and validates on.", {}};
  table.add("arm", "1", "Name of the arm.", arms);
  table.add("repeat", "1", "Repeat of the sweep, counted from 0.", repeats);
  table.add("case", "1", "Name of the volume.", cases);
  table.add("use", "1", "Whether the case is for training or for validation.", uses);
  return table;
}

}  // namespace proxytune::selection
