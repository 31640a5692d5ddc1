#include "jobs/job_clock.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "proxytune/core/error.h"

namespace proxytune::jobs {

JobClock::JobClock(comm::Communicator& world,
                   const core::Log& log,
                   const ComputeOptions& options,
                   std::atomic<bool>& stop)
    : log_(log), rank_(world.rank()), grace_(options.grace) {
  const TimeLimit limit = agreed_time_limit(world, options);
  const auto say_limit = [log, limit, root = world.is_root()] {
    const std::string line = limit.name + " comes near: stopping; the same command goes on";
    root ? log.info(line) : log.warn(line);
  };
  // The others come a little later, so that one rank says it.
  const double later = world.is_root() ? 0 : 0.2;
  clock_ = std::make_unique<work::StopClock>(
      stop,
      work::StopClock::Times{.limit = limit.seconds + later, .grace = grace_},
      work::StopClock::Calls{say_limit, [this] { end_by_force(); }});
}

void JobClock::failed(const comm::Failure& failure) {
  const std::scoped_lock lock(mutex_);
  failure_ = failure;
}

void JobClock::end_by_force() const {
  {
    const std::scoped_lock lock(mutex_);
    if (failure_) {
      log_.error(failure_->sentence);
      comm::MpiEnvironment::abort(static_cast<int>(failure_->code));
    }
  }
  // A rank with an error says it first.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  log_.error(
      fmt::format("rank {} has not come to its end {:g} s (compute.grace) after it was asked "
                  "to stop: the "
                  "job is ended by force; the same command goes on from the last checkpoints",
                  rank_,
                  grace_));
  comm::MpiEnvironment::abort(static_cast<int>(core::ExitCode::stopped));
}

}  // namespace proxytune::jobs
