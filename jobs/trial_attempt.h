#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/stages.h"
#include "jobs/trial_checkpoints.h"

namespace proxytune::jobs {

/// What a trial's text of a network stands for.
struct TrialNetwork {
  network::UNetOptions options;
  std::filesystem::path start_weights;
};

/// What a rank that helps with a trial is told of: the leader keeps the state.
class HelpersSteps : public training::Checkpoints {
 public:
  HelpersSteps(const Study& study, std::string key) : study_(study), key_(std::move(key)) {}
  std::optional<std::string> load() override { return std::nullopt; }
  bool due() override {
    study_.account().step(key_);
    return false;
  }
  void save(const std::string&) override {}
  void refuse(const std::string&) override {}

 private:
  const Study& study_;
  std::string key_;
};

/// One trial on this rank, or on a team of which every rank has one of these: trains, scores
/// the external cases, keeps the weights if asked to. It goes on where an earlier attempt left
/// a checkpoint. The leader's record is the trial's.
class TrialAttempt {
 public:
  TrialAttempt(Study& study,
               const PreparedData& data,
               const TrialNetwork& network,
               const work::Item& item,
               training::Team team);

  /// Throws core::Stopped, with the state on disk, when the study is asked to stop.
  work::Record run();
  const TrialCheckpoints& checkpoints() const { return checkpoints_; }

 private:
  training::TrainingTask task() const;
  /// Throws core::Stopped between two batches of windows.
  void score_external(const training::TrainingTask& task, training::TrainedModel& trained);
  void finish(const training::TrainingTask& task, training::TrainedModel& trained);
  void came_to(int epochs, double loss);

  Study& study_;
  const PreparedData& data_;
  const TrialNetwork& network_;
  std::string key_;
  int attempt_ = 0;
  trials::TrialSpec spec_;
  training::Team team_;
  TrialCheckpoints checkpoints_;
  HelpersSteps steps_;
};

}  // namespace proxytune::jobs
