#include "proxytune/search/median_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace proxytune::search {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

void MedianRule::add(int trial,
                     const std::vector<std::int64_t>& validated,
                     const std::vector<double>& dice) {
  const auto [place, is_new] = best_.emplace(trial, Best{});
  if (!is_new)
    return;
  double best = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < validated.size(); ++i) {
    best = std::fmax(best, dice[i]);
    if (!std::isnan(best))
      place->second[validated[i] + 1] = best;
  }
}

trials::EarlyStop MedianRule::stop_after(int known) const {
  std::map<std::int64_t, std::vector<double>> by_epoch;
  for (const auto& [trial, best] : best_)
    if (trial < known)
      for (const auto& [epochs, dice] : best)
        by_epoch[epochs].push_back(dice);
  trials::EarlyStop stop;
  for (const auto& [epochs, dice] : by_epoch) {
    if (epochs < options_.from_epoch || std::ssize(dice) < options_.earlier_trials)
      continue;
    stop.epochs.push_back(epochs);
    stop.below.push_back(median(dice));
  }
  return stop;
}

}  // namespace proxytune::search
