#pragma once

#include "jobs/study_options.h"
#include "proxytune/comm/communicator.h"
#include "proxytune/study/changes.h"
#include "proxytune/training/trainer.h"

namespace proxytune::jobs {

/// Sets this rank up to compute, and refuses (core::ConfigurationError) ranks that would do so
/// with different numerics. Collective.
training::Numerics agreed_numerics(comm::Communicator& world,
                                   int node_rank,
                                   const StudyOptions& options);

/// As in the study's frozen fingerprint.
study::Fields fields_of(const training::Numerics& numerics);

/// The frozen fingerprint with what differs in `present` beside it: "avx2 and avx512".
study::Fields mixed(study::Fields frozen, const study::Fields& present);

}  // namespace proxytune::jobs
