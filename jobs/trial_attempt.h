#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/stages.h"
#include "jobs/trial_checkpoints.h"

namespace proxytune::jobs {

/// What a trial's text of a network stands for.
struct TrialNetwork {
  network::UNetOptions options;
  std::filesystem::path start_weights;
};

/// One trial on this rank: trains, scores the external cases, keeps the weights if asked to. It
/// goes on where an earlier attempt left a checkpoint.
class TrialAttempt {
 public:
  TrialAttempt(Study& study,
               const PreparedData& data,
               const TrialNetwork& network,
               const work::Item& item);

  /// Throws core::Stopped, with the state on disk, when the study is asked to stop.
  work::Record run();
  const TrialCheckpoints& checkpoints() const { return checkpoints_; }

 private:
  training::TrainingTask task() const;
  /// Throws core::Stopped between two batches of windows.
  void score_external(const training::TrainingTask& task, training::TrainedModel& trained);
  void finish(const training::TrainingTask& task, training::TrainedModel& trained);

  Study& study_;
  const PreparedData& data_;
  const TrialNetwork& network_;
  std::string key_;
  int attempt_ = 0;
  trials::TrialSpec spec_;
  TrialCheckpoints checkpoints_;
};

}  // namespace proxytune::jobs
