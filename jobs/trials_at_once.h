#pragma once

#include <functional>
#include <string>

#include "jobs/study_options.h"
#include "proxytune/comm/communicator.h"

namespace proxytune::jobs {

/// How many trials each rank runs beside each other, the same on all ranks, and why.
struct TrialsAtOnce {
  int count = 1;
  std::string why;
};

/// By compute.trials_per_device. `auto` is what a rank's share of its node's processors holds,
/// as far as its share of the node's free memory has room for them; `trial_bytes`, the memory
/// of a trial, is then asked for on rank 0, and only where it matters. Collective.
TrialsAtOnce trials_at_once(comm::Communicator& world,
                            const ComputeOptions& options,
                            const std::function<double()>& trial_bytes);

/// "trials at once: 2 on each rank" and why.
std::string text_of(const TrialsAtOnce& trials);

}  // namespace proxytune::jobs
