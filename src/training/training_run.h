#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "proxytune/training/checkpoints.h"
#include "proxytune/training/patches.h"
#include "proxytune/training/team.h"
#include "training/batch_gradient.h"
#include "training/step.h"
#include "training/training_state.h"

namespace proxytune::training {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One training under way: network, optimizer, patches, and the best state so far. Between two
/// steps, and between two cases of a validation, its whole state can be kept, which is done
/// when checkpoints are due and when it is asked to stop. Where a team trains, every rank has
/// one of these, and all of them are the same but for who keeps the state.
class Training {
 public:
  /// Goes on from a checkpoint if there is one. `result` is what the training fills in;
  /// `checkpoints` may be null.
  Training(const TrainingTask& task,
           const datasets::CaseSource& cases,
           const std::atomic<bool>& stop,
           Checkpoints* checkpoints,
           Team& team,
           trials::TrialResult& result);

  /// Null where it stopped early, as its task says.
  std::shared_ptr<Model> run(const std::function<void(int epoch, double loss)>& on_epoch);

 private:
  /// What the present seconds count as.
  struct Phase {
    double trials::TrialResult::*sum;
    Stopwatch watch;
  };

  std::optional<std::string> kept() const;
  bool restore();
  void restore(const std::string& text);
  void begin();
  void pause();
  void keep();
  void end_phase();
  void train_epoch(const std::function<void(int epoch, double loss)>& on_epoch);
  double step(const std::vector<int>& positions);
  Patches cut(const std::vector<int>& positions, int begin, int end);
  bool stops_early() const;
  bool validation_is_due() const;
  void validate_epoch();
  void refuse_weights_that_are_not_finite() const;
  void judge(trials::CaseScores scores);
  std::shared_ptr<Model> best_model();

  const TrainingTask& task_;
  const datasets::CaseSource& cases_;
  const std::atomic<bool>& stop_;
  Checkpoints* checkpoints_;
  Team& team_;
  trials::TrialResult& result_;
  Stopwatch watch_;
  std::optional<Phase> phase_;
  network::UNet network_;
  Optimizer optimizer_;
  BatchGradient gradient_;
  PatchSampler sampler_;
  Position at_;
  std::vector<float> images_;
  std::vector<std::uint8_t> labels_;
  std::vector<network::NamedTensor> best_;
};

}  // namespace proxytune::training
