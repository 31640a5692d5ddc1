#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "jobs/study.h"
#include "proxytune/study/checkpoint.h"
#include "proxytune/training/checkpoints.h"

namespace proxytune::jobs {

/// The checkpoints of one trial in the study's folder: the training's state and, once it is
/// over, the external scores so far, which the training does not see. Whichever rank of
/// whichever launch takes the trial up goes on from them.
class TrialCheckpoints : public training::Checkpoints {
 public:
  TrialCheckpoints(const Study& study, const std::string& key);

  std::optional<std::string> load() override;
  bool due() override;
  void save(const std::string& state) override;
  void refuse(const std::string& why) override;

  /// There is, or may be, a file; to be removed once the trial's result is in the journal.
  bool on_disk() const { return on_disk_; }
  void remove() const { file_.remove(); }

  std::vector<double> external_dice;  // of the first cases; kept with every state
  int epochs = 0;                     // that are over, for the journal

 private:
  using Clock = std::chrono::steady_clock;

  const Study& study_;
  std::string key_;
  study::CheckpointFile file_;
  Clock::time_point last_ = Clock::now();
  bool on_disk_ = false;
};

}  // namespace proxytune::jobs
