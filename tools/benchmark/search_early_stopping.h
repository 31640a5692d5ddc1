// Searches of the table of real trials in which trials are stopped early, by the program's own
// search.
#pragma once

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "proxytune/search/search_source.h"
#include "trial_table.h"

namespace proxytune::benchmark {

constexpr int validate_every = 2;  // of the table

/// "none", "halving:REDUCTION:EPOCHS,EPOCHS" or "median:FROM_EPOCH:EARLIER_TRIALS".
inline void set_rule(search::SearchOptions& options, const std::string& rule) {
  std::istringstream stream(rule);
  std::string kind, first, second;
  std::getline(stream, kind, ':');
  std::getline(stream, first, ':');
  std::getline(stream, second, ':');
  if (kind == "median") {
    options.median_stopping = search::MedianStoppingOptions{
        .from_epoch = std::atoi(first.c_str()), .earlier_trials = std::atoi(second.c_str())};
  } else if (kind == "halving") {
    options.halving =
        search::HalvingOptions{.rungs = {}, .reduction = std::atoi(first.c_str())};
    std::istringstream rungs(second);
    for (std::string epochs; std::getline(rungs, epochs, ',');)
      options.halving->rungs.push_back({.epochs = std::atoi(epochs.c_str())});
  }
}

/// The table's axes as a space; numbers on a log scale mean the grid's point in whose interval
/// they lie.
inline search::SearchSpace space_of(const TrialTable& table) {
  return {{{.field = "learning_rate",
            .low = table.rates().front(),
            .high = table.rates().back(),
            .scale = search::Scale::log},
           {.field = "shift_probability"},
           {.field = "optimizer", .choices = table.optimizers()}}};
}

inline Point point_of(const search::SearchSpace& space, const trials::HyperParameters& hyper) {
  Point x;
  for (const search::Dimension& dimension : space.dimensions)
    x.push_back(search::unit_of(dimension, *trials::value_of(hyper, dimension.field)).value());
  return x;
}

/// What the program's trainer would report of a training with this curve.
inline trials::TrialResult result_of(const Curve& curve, const trials::EarlyStop& stop) {
  trials::TrialResult result;
  result.best_validation_dice = std::nan("");
  for (std::size_t i = 0; i < curve.dice.size(); ++i) {
    result.loss.insert(result.loss.end(), validate_every, 0.0);
    result.validated.push_back(static_cast<std::int64_t>(i + 1) * validate_every - 1);
    result.validation_dice.push_back(curve.dice[i]);
    result.best_validation_dice = std::fmax(result.best_validation_dice, curve.dice[i]);
    if (i + 1 < curve.dice.size() &&
        trials::stop_epoch(stop, result.validated, result.validation_dice)) {
      result.status = trials::TrialStatus::stopped_early;
      return result;
    }
  }
  result.status =
      curve.completed ? trials::TrialStatus::completed : trials::TrialStatus::diverged;
  return result;
}

/// METHOD TRIALS CONCURRENCY RULE FIRST LAST: a line a seed: pairs, one a trial, of the epochs
/// trained so far and the regret of the trial that would be chosen so far.
inline void search_with_stops(const TrialTable& table, char** words) {
  const search::SearchSpace space = space_of(table);
  search::SearchOptions options{.method = core::from_string<search::Method>(words[0]),
                                .trials = std::atoi(words[1]),
                                .concurrency = std::atoi(words[2]),
                                .space = space.dimensions};
  set_rule(options, words[3]);
  search::validate(options);
  const double best = table.surface().best;
  for (int seed = std::atoi(words[4]); seed < std::atoi(words[5]); ++seed) {
    const core::RandomKey key(static_cast<std::uint64_t>(seed));
    search::SearchSource source(options,
                                {},
                                key.with("early stopping"),
                                [](const trials::HyperParameters& hyper, const std::string&) {
                                  trials::TrialSpec spec;
                                  spec.hyper_parameters = hyper;
                                  return spec;
                                });
    while (const auto item = source.next()) {
      const trials::TrialSpec spec = trials::spec_from_record(item->what);
      // The same trial is the same training, wherever it stops.
      core::Random random(key.with(trials::trial_key(trials::without_early_stop(spec))));
      const Curve& curve = table.curve(point_of(space, spec.hyper_parameters), random);
      source.report(*item, trials::to_record(result_of(curve, spec.early_stop)));
    }
    search::SearchOutcome so_far;
    int epochs = 0;
    for (const search::Proposal& proposal : source.outcome().proposals) {
      so_far.proposals.push_back(proposal);
      epochs += proposal.epochs;
      const auto chosen = search::best(so_far);
      std::cout << epochs << ' '
                << (chosen ? best - table.value(point_of(space, chosen->hyper_parameters))
                           : best)
                << ' ';
    }
    std::cout << '\n';
  }
}

}  // namespace proxytune::benchmark
