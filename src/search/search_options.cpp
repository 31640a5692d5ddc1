#include "proxytune/search/search_options.h"

#include <charconv>
#include <cmath>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::search {
namespace {

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

void at_least(const std::string& field, int value, int least, const std::string& why) {
  if (value < least)
    throw core::FieldError(field,
                           "is " + std::to_string(value) + ", but " + why + ". Use " +
                               std::to_string(least) + " or more.");
}

/// Finite and inside the interval, whose ends count or do not.
void inside(const std::string& field, double value, bool good, const std::string& interval) {
  if (!good || !std::isfinite(value))
    throw core::FieldError(field, "is " + shortest(value) + ", but must be " + interval + ".");
}

void validate_dimensions(const std::vector<Dimension>& space) {
  if (space.empty())
    throw core::FieldError(
        "space",
        "is empty, so there is nothing to search. Name one hyper-parameter or "
        "more; the paper searches learning_rate and shift_probability.");
  try {
    validate_space(space);
  } catch (const core::FieldError& error) {
    throw core::FieldError("space." + error.field(), error.sentence());
  }
}

}  // namespace

void validate(const SearchOptions& options) {
  at_least("trials", options.trials, 1, "a search has trials");
  at_least("concurrency", options.concurrency, 1, "one trial is open at least");
  validate_dimensions(options.space);
  if (options.method == Method::grid)
    at_least("grid_points",
             options.grid_points,
             2,
             "the grid stands before its trials, so that adding trials moves no point, and a "
             "range has two ends");
  at_least("hidden", options.hidden, 1, "the cell has a state");
  inside("controller_learning_rate",
         options.controller_learning_rate,
         options.controller_learning_rate > 0,
         "above 0");
  at_least("passes", options.passes, 1, "a reward is used once at least");
  at_least("elites", options.elites, 0, "it is a number of trials");
  inside("baseline_decay",
         options.baseline_decay,
         options.baseline_decay >= 0 && options.baseline_decay < 1,
         "at least 0 and below 1");
  inside("entropy", options.entropy, options.entropy >= 0, "0 or more");
  inside("entropy_decay",
         options.entropy_decay,
         options.entropy_decay >= 0 && options.entropy_decay <= 1,
         "between 0 and 1");
  inside("spread",
         options.spread,
         options.spread >= 0.02 && options.spread <= 1,
         "between 0.02 and 1 of a range");
  inside("ratio_clip",
         options.ratio_clip,
         options.ratio_clip > 0 && options.ratio_clip < 1,
         "above 0 and below 1");
  inside("failed_reward", options.failed_reward, true, "a finite number");
  if ((options.method == Method::replay) != options.replay.has_value())
    throw core::FieldError(
        "replay",
        options.replay ? "is given, but the method is " + core::to_string(options.method) +
                             ". Leave it out, or use method replay."
                       : "is missing, but the method is replay. Name the list, as "
                         "replay: {points: results.h5}.");
  if (options.halving && options.trials < options.halving->bracket())
    throw core::FieldError(
        "trials",
        "is " + std::to_string(options.trials) + ", but a bracket of halving has " +
            std::to_string(options.halving->bracket()) +
            " trials, so that none would be sorted out as it says. Use " +
            std::to_string(options.halving->bracket()) + " or more, or fewer rungs.");
  if (options.halving && options.concurrency < options.halving->bracket())
    throw core::FieldError(
        "concurrency",
        "is " + std::to_string(options.concurrency) + ", but a bracket of halving has " +
            std::to_string(options.halving->bracket()) +
            " trials, which are all to be open before the first of them is decided. Use " +
            std::to_string(options.halving->bracket()) + " or more, or fewer rungs.");
  if (options.replay && options.warm_start)
    throw core::FieldError("warm_start",
                           "and replay exclude each other: a list is proposed exactly and in "
                           "its order. Put the earlier points into the list.");
  if (options.halving && options.median_stopping)
    throw core::FieldError("median_stopping",
                           "and halving exclude each other: a trial that one of them stopped "
                           "would be missing in the other's comparison. Give one of them.");
  if (options.median_stopping &&
      options.trials <= options.median_stopping->earlier_trials + options.concurrency - 1)
    throw core::FieldError("median_stopping.earlier_trials",
                           "is " + std::to_string(options.median_stopping->earlier_trials) +
                               ", but with concurrency " + std::to_string(options.concurrency) +
                               " no trial of " + std::to_string(options.trials) +
                               " knows so many earlier ones. Use fewer, or raise trials.");
  if (options.warm_start && options.warm_start->best > options.trials)
    throw core::FieldError("warm_start.best",
                           "is " + std::to_string(options.warm_start->best) +
                               ", but the search has " + std::to_string(options.trials) +
                               " trials. Take fewer points, or raise trials.");
}

}  // namespace proxytune::search
