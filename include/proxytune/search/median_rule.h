#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "proxytune/search/early_stopping.h"
#include "proxytune/trials/early_stop.h"

namespace proxytune::search {

/// Where a trial is stopped that does worse than half of the trials before it (Golovin et al.
/// 2017, with the best score so far in place of the mean). What is asked for depends on fixed
/// trials only, so that it is known before the trial starts.
class MedianRule {
 public:
  explicit MedianRule(const MedianStoppingOptions& options) : options_(options) {}

  /// A trial's validation Dice (NaN: no score) after the epochs `validated`, counted from 0,
  /// rising. The first report of a trial counts.
  void add(int trial,
           const std::vector<std::int64_t>& validated,
           const std::vector<double>& dice);

  /// For a trial that may know the first `known` trials, all of them added: at each epoch that
  /// enough of them have come to, the median of their best Dice until then.
  trials::EarlyStop stop_after(int known) const;

 private:
  using Best = std::map<std::int64_t, double>;  // Dice so far, by epochs done
  MedianStoppingOptions options_;
  std::map<int, Best> best_;  // by trial
};

}  // namespace proxytune::search
