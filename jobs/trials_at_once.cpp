#include "jobs/trials_at_once.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "jobs/study.h"
#include "proxytune/comm/agree.h"
#include "proxytune/work/node_share.h"

namespace proxytune::jobs {
namespace {

/// Of the free memory: the rest is for what grows beside trials, as the pages of mapped
/// volumes.
constexpr double share_for_trials = 0.8;

/// Whole trials, at least one.
int whole(double trials) {
  return static_cast<int>(std::clamp(trials + 1e-9, 1.0, 1.0 * most_trials_per_device));
}

}  // namespace

TrialsAtOnce trials_at_once(comm::Communicator& world,
                            const ComputeOptions& options,
                            const std::function<double()>& trial_bytes) {
  if (const std::optional<int> fixed = options.fixed_trials_per_device())
    return {*fixed, "compute.trials_per_device"};
  if (options.ranks_per_trial > 1)
    return {1, "compute.ranks_per_trial"};
  const work::NodeShare share = work::least_share(world);
  const int by_processors = whole(share.processors / options.threads_per_trial);
  std::string why = fmt::format("{:.3g} processors a rank, threads_per_trial {}",
                                share.processors,
                                options.threads_per_trial);
  if (by_processors == 1)
    return {1, why};
  const double bytes = std::strtod(
      comm::from_root(world, [&] { return fmt::format("{}", trial_bytes()); }).c_str(),
      nullptr);
  constexpr double gibibyte = 1024.0 * 1024 * 1024;
  why += fmt::format(
      ", {:.2f} GiB a trial of {:.1f} free a rank", bytes / gibibyte, share.memory / gibibyte);
  return {
      std::min(by_processors, whole(share_for_trials * share.memory / std::max(bytes, 1.0))),
      why};
}

std::string text_of(const TrialsAtOnce& trials) {
  return fmt::format("trials at once: {} on each rank ({})", trials.count, trials.why);
}

int Study::trials_at_once(const std::function<double()>& trial_bytes) {
  if (trials_at_once_ == 0) {
    const TrialsAtOnce trials = jobs::trials_at_once(world(), options_.compute, trial_bytes);
    log().info(text_of(trials));
    trials_at_once_ = trials.count;
  }
  return trials_at_once_;
}

}  // namespace proxytune::jobs
