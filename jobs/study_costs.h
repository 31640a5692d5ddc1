#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/costs.h"
#include "jobs/study.h"

namespace proxytune::jobs {

/// What the journals of a study's folder and of its shards tell.
std::vector<LaunchCost> costs_on_disk(const std::filesystem::path& folder,
                                      const std::string& study);

/// All launches of the study and of its shards, this one until now; on every rank. Collective.
std::vector<LaunchCost> gather_costs(Study& study);

/// Says what this launch cost. Collective.
void say_costs(Study& study);

}  // namespace proxytune::jobs
