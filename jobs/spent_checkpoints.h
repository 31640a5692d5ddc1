#pragma once

#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "jobs/trial_checkpoints.h"

namespace proxytune::jobs {

/// Checkpoints of trials that this rank has finished. A trial's may go once its result is in
/// the journal: then its thread takes up the next trial, or all trials are done.
class SpentCheckpoints {
 public:
  explicit SpentCheckpoints(const Study& study) : study_(study) {}
  void add(const TrialCheckpoints& checkpoints);
  /// Those that this thread added.
  void remove_mine();
  void remove_all();

 private:
  void remove(const std::vector<TrialCheckpoints>& spent) const;

  const Study& study_;
  std::mutex mutex_;
  std::map<std::thread::id, std::vector<TrialCheckpoints>> spent_;
};

}  // namespace proxytune::jobs
