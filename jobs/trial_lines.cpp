#include "jobs/trial_lines.h"

#include <fmt/format.h>

#include "proxytune/trials/trial.h"

namespace proxytune::jobs {
namespace {

std::string said(const trials::HyperParameters& hp) {
  return fmt::format("{} {:.3g}, shift {:.2f}",
                     core::to_string(hp.optimizer),
                     hp.learning_rate,
                     hp.shift_probability);
}

std::string outcome(const trials::TrialResult& result) {
  if (result.status == trials::TrialStatus::completed)
    return fmt::format("validation Dice {:.4f}", result.best_validation_dice);
  return fmt::format("{}, {}", core::to_string(result.status), result.reason);
}

}  // namespace

void TrialLines::operator()(const work::Progress& progress) {
  const trials::TrialResult result = trials::result_from_record(*progress.result);
  if (result.status == trials::TrialStatus::completed && result.best_validation_dice > best_) {
    best_ = result.best_validation_dice;
    bar_.best(best_);
  }
  if (progress.rank < 0)
    return;  // from an earlier launch or stage
  ++done_here_;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const std::size_t left = total_ > progress.done ? total_ - progress.done : 0;
  log_.info(fmt::format("{} [{}/{}] {}: {} (best {:.4f}), {:.1f} s on rank {}, {} left",
                        label_,
                        progress.done,
                        total_,
                        said(trials::spec_from_record(progress.item->what).hyper_parameters),
                        outcome(result),
                        best_,
                        result.seconds,
                        progress.rank,
                        core::duration_text(elapsed.count() / static_cast<double>(done_here_) *
                                            static_cast<double>(left))));
}

}  // namespace proxytune::jobs
