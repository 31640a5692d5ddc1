#pragma once

#include <limits>
#include <string>

#include "jobs/study_options.h"
#include "proxytune/comm/communicator.h"

namespace proxytune::jobs {

/// When something else ends the job.
struct TimeLimit {
  double seconds = std::numeric_limits<double>::infinity();  // from now
  std::string name;                                          // of what says so
};

/// The nearer of compute.time_limit and the end of the Slurm job, as rank 0 sees it. Throws
/// core::ConfigurationError where it leaves no more than the grace time. Collective.
TimeLimit agreed_time_limit(comm::Communicator& world, const ComputeOptions& options);

}  // namespace proxytune::jobs
