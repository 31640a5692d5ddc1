#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proxytune/work/record.h"

namespace proxytune::trials {

/// Where a training ends before its last epoch. What it computes until then are the bits of the
/// whole training.
struct EarlyStop {
  std::int64_t after = 0;              // epochs; 0: none
  std::vector<std::int64_t> epochs{};  // after each of these, counted from 1, rising, it ends
  std::vector<double> below{};         // if its best Dice so far is below this

  bool any() const { return after > 0 || !epochs.empty(); }
  bool operator==(const EarlyStop&) const = default;
};

/// After how many epochs a training ends whose validation gave `dice` after the epochs
/// `validated` (counted from 0, rising; NaN where there was no score); none: it goes on.
std::optional<std::int64_t> stop_epoch(const EarlyStop& stop,
                                       const std::vector<std::int64_t>& validated,
                                       const std::vector<double>& dice);

/// Adds what is asked for, and nothing where nothing is; and reads it back.
void add_to(work::Record& record, const EarlyStop& stop);
EarlyStop early_stop_from_record(const work::Record& record);

}  // namespace proxytune::trials
