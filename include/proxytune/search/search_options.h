#pragma once

#include <optional>
#include <span>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/search/early_stopping.h"
#include "proxytune/search/replay.h"
#include "proxytune/search/space.h"
#include "proxytune/search/warm_start.h"

namespace proxytune::search {

enum class Method { reinforcement, bayesian, random, low_discrepancy, grid, replay };
inline constexpr core::Name<Method> names_of_method[] = {
    {Method::reinforcement, "reinforcement"},
    {Method::bayesian, "bayesian"},
    {Method::random, "random"},
    {Method::low_discrepancy, "low_discrepancy"},
    {Method::grid, "grid"},
    {Method::replay, "replay"},
};
constexpr std::span<const core::Name<Method>> names(Method) {
  return names_of_method;
}

/// What no paper states is our pick (docs/paper-map.md): cell, width, scales, updates, trials.
struct SearchOptions {
  Method method = Method::reinforcement;
  int trials = 50;
  int concurrency = 4;
  std::vector<Dimension> space = default_space().dimensions;
  int grid_points = 0;
  int hidden = 32;
  double controller_learning_rate = 1e-2;
  int passes = 3;
  int elites = 4;
  double baseline_decay = 0.95;
  double entropy = 1e-2;
  double entropy_decay = 0.95;
  double spread = 0.3;
  double ratio_clip = 0.2;
  double failed_reward = 0;
  std::optional<WarmStart> warm_start{};
  std::optional<ReplayOptions> replay{};
  /// The points of that list; not in the study file.
  std::vector<std::vector<double>> replay_points{};
  std::optional<HalvingOptions> halving{};
  std::optional<MedianStoppingOptions> median_stopping{};
  /// What the warm start gives; not in the study file.
  std::vector<std::vector<double>> first_points{};
};

template <class Fields>
void describe(Fields& fields, SearchOptions& options) {
  fields(
      "method",
      options.method,
      "who proposes hyper-parameters: the paper's recurrent controller; expected improvement "
      "under a Gaussian process, which finds better ones in as many trials (docs/search.md); "
      "independent or evenly spread points; a lattice; the points of a list");
  fields("trials", options.trials, "trials of each arm; a study may be extended by raising it");
  fields(
      "concurrency",
      options.concurrency,
      "trials that may be open at once: proposal k uses the results of trials 0 to k minus "
      "this; part of the study, whatever the number of ranks; twice the devices is good, and "
      "1 is the sequential search of the paper");
  fields("space", options.space, "the hyper-parameters that are searched, and their ranges");
  fields("grid_points",
         options.grid_points,
         "of the method grid, which needs it: points along each range, 2 or more");
  fields("hidden", options.hidden, "width of the controller's LSTM cell");
  fields("controller_learning_rate",
         options.controller_learning_rate,
         "step of the controller's Adam (betas 0.7, 0.7)");
  fields("passes",
         options.passes,
         "updates of the controller from each reward; 1 is plain REINFORCE");
  fields("elites",
         options.elites,
         "of the best trials so far, each of which draws the controller a step nearer whenever "
         "a reward comes; 0: plain policy gradient");
  fields("baseline_decay",
         options.baseline_decay,
         "of the moving average that a reward is compared with, 0 to below 1");
  fields("entropy", options.entropy, "weight of the entropy bonus that keeps it exploring");
  fields("entropy_decay", options.entropy_decay, "factor on that weight from trial to trial");
  fields("spread",
         options.spread,
         "standard deviation of the first proposals, as a share of a range");
  fields("ratio_clip",
         options.ratio_clip,
         "how far the probability of a proposal may move before its result has no more say");
  fields("failed_reward",
         options.failed_reward,
         "reward of a trial that diverged or failed; others get their best validation Dice");
  fields("warm_start", options.warm_start, "begin with the best points of an earlier study");
  fields("replay", options.replay, "of the method replay, which needs it: the list");
  fields("halving",
         options.halving,
         "successive halving: trials are compared before their last epoch, and only the better "
         "ones go on");
  fields("median_stopping",
         options.median_stopping,
         "the median rule: a trial is stopped where its best Dice is below the median of the "
         "earlier trials' at that epoch");
}

/// Throws core::FieldError.
void validate(const SearchOptions& options);

}  // namespace proxytune::search
