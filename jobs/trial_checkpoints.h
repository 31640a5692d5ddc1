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
  /// `key` is the piece's, `file` names the files: pieces that are parts of one training, one
  /// after the other, have the same. `epochs`: of the whole training; `ranks`: that do it.
  TrialCheckpoints(const Study& study,
                   const std::string& key,
                   const std::string& file,
                   int epochs,
                   int ranks);

  std::optional<std::string> load() override;
  bool due() override;
  void save(const std::string& state) override;
  void refuse(const std::string& why) override;

  /// There is, or may be, a file; to be removed once the trial's result is in the journal.
  bool on_disk() const { return on_disk_; }
  void remove() const { file_.remove(); }

  /// From the trial's beginning, or its going on, to the end of its first step; 0 before that.
  double first_step_seconds() const { return first_step_seconds_; }

  /// This trial's share of its so many ranks, those of the attempts that it goes on from
  /// included.
  double device_seconds() const;

  /// So many epochs are over: into the journal now and then.
  void reached(int epochs);

  std::vector<double> external_dice;  // of the first cases; kept with every state

 private:
  using Clock = std::chrono::steady_clock;

  work::Record progress() const;

  const Study& study_;
  std::string key_;
  study::CheckpointFile file_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  std::optional<Clock::time_point> last_progress_;
  int of_epochs_;
  int ranks_;
  int epochs_ = 0;
  int pauses_ = 0;
  double first_step_seconds_ = 0;
  double earlier_device_seconds_ = 0;
  bool on_disk_ = false;
};

}  // namespace proxytune::jobs
