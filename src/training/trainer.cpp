#include "proxytune/training/trainer.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include <ATen/Parallel.h>

#include "proxytune/core/error.h"
#include "proxytune/training/trial_failure.h"
#include "training/flush_denormals.h"
#include "training/training_run.h"

namespace proxytune::training {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check(const TrainingTask& task) {
  validate(task.training);
  network::check_patch(task.network, reversed(task.training.patch), "training.patch");
  network::check_patch(task.network, reversed(task.training.window), "training.window");
  if (task.training_cases.empty())
    throw core::DataError("there is no case to train with. Give at least one.");
}

std::string why_stopped(const TrainingTask& task, const trials::TrialResult& result) {
  const auto done = static_cast<std::int64_t>(result.loss.size());
  std::string text = "stopped after " + std::to_string(done) + " of " +
                     std::to_string(task.training.epochs) + " epochs";
  const std::vector<std::int64_t>& epochs = task.early_stop.epochs;
  const auto found = std::find(epochs.begin(), epochs.end(), done);
  if (found != epochs.end() && done != task.early_stop.after)
    text += ": its validation Dice was below " +
            std::to_string(
                task.early_stop.below[static_cast<std::size_t>(found - epochs.begin())]) +
            ", the median of earlier trials";
  return text;
}

void fail(TrainedModel& trained, trials::TrialStatus status, const std::string& reason) {
  trained.result.status = status;
  trained.result.reason = reason;
  trained.model = nullptr;
}

}  // namespace

TrainedModel train(const TrainingTask& task,
                   const datasets::CaseSource& cases,
                   const std::atomic<bool>& stop,
                   const std::function<void(int epoch, double loss)>& on_epoch,
                   Checkpoints* checkpoints,
                   Team* team) {
  const Stopwatch watch;
  at::init_num_threads();  // each thread that trains has its own number
  const FlushDenormals flush;
  Team alone;
  Team& all = team == nullptr ? alone : *team;
  TrainedModel trained;
  trained.result.best_validation_dice = nan;
  try {
    all.together([&] {
      check(task);
      trained.model =
          Training(task, cases, stop, checkpoints, all, trained.result).run(on_epoch);
    });
    if (!trained.model)
      fail(trained, trials::TrialStatus::stopped_early, why_stopped(task, trained.result));
  } catch (...) {
    const std::optional<TrialFailure> failure = failure_of_trial();
    if (!failure)
      throw;
    fail(trained, failure->status(), failure->what());
  }
  trained.result.seconds += watch.seconds();
  return trained;
}

std::string finished_state(const TrainingTask& task, const TrainedModel& trained) {
  TrainingState state;
  state.at.epoch = task.training.epochs;
  state.result = trained.result;
  state.weights = trained.model->state_->network.state();
  return encode(state);
}

}  // namespace proxytune::training
