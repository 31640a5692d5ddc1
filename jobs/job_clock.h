#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "jobs/time_limit.h"
#include "proxytune/comm/failure.h"
#include "proxytune/core/logging.h"
#include "proxytune/work/stop_clock.h"

namespace proxytune::jobs {

/// Ends this rank's work in time: ahead of the job's limit, and by force where it does not come
/// to its end by itself.
class JobClock {
 public:
  /// Collective.
  JobClock(comm::Communicator& world,
           const core::Log& log,
           const ComputeOptions& options,
           std::atomic<bool>& stop);

  work::StopClock& stop_clock() { return *clock_; }
  /// An error of this rank, which ends the work: should the others not come to their end, this
  /// is what the job ends with.
  void failed(const comm::Failure& failure);

 private:
  void end_by_force() const;

  core::Log log_;
  int rank_;
  double grace_;
  mutable std::mutex mutex_;
  std::optional<comm::Failure> failure_;
  std::unique_ptr<work::StopClock> clock_;  // last: it asks the others
};

}  // namespace proxytune::jobs
