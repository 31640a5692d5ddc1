#include "proxytune/trials/early_stop.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace proxytune::trials {

std::optional<std::int64_t> stop_epoch(const EarlyStop& stop,
                                       const std::vector<std::int64_t>& validated,
                                       const std::vector<double>& dice) {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < validated.size(); ++i) {
    best = std::fmax(best, dice[i]);
    const std::int64_t done = validated[i] + 1;
    const auto asked = std::find(stop.epochs.begin(), stop.epochs.end(), done);
    if (asked != stop.epochs.end() &&
        best < stop.below[static_cast<std::size_t>(asked - stop.epochs.begin())])
      return done;
    if (done == stop.after)
      return done;
  }
  return std::nullopt;
}

void add_to(work::Record& record, const EarlyStop& stop) {
  if (stop.after > 0)
    record.set("stop_after", stop.after);
  if (stop.epochs.empty())
    return;
  record.set("stop_epochs", stop.epochs);
  record.set("stop_below", stop.below);
}

EarlyStop early_stop_from_record(const work::Record& record) {
  EarlyStop stop;
  if (record.has("stop_after"))
    stop.after = record.integer("stop_after");
  if (record.has("stop_epochs")) {
    stop.epochs = record.integers("stop_epochs");
    stop.below = record.numbers("stop_below");
  }
  return stop;
}

}  // namespace proxytune::trials
