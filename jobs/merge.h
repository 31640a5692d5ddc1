#pragma once

#include <vector>

#include "jobs/stages.h"

namespace proxytune::jobs {

/// Takes the finished trials of the study's shards over into its own journal, each once.
/// Refuses shards that were computed from another study file, and those of other numerics
/// unless --accept-other-numerics marks them. Collective.
void merge_shards(Study& study);

/// Lists the trials of the sweep that no journal holds; throws core::Stopped where there are
/// any. Collective.
void require_all_merged(Study& study, const std::vector<PlacedTrial>& sweep);

}  // namespace proxytune::jobs
