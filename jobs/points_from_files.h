#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "jobs/study_options.h"
#include "proxytune/comm/communicator.h"

namespace proxytune::jobs {

/// Of the unit cube.
using UnitPoints = std::vector<std::vector<double>>;

/// What `find` gives on rank 0, exactly, on every rank. Collective.
UnitPoints from_root(comm::Communicator& world, const std::function<UnitPoints()>& find);

/// Throws core::ConfigurationError where the file that `field` names is the one that the study
/// itself writes.
void require_not_written_here(const StudyOptions& options,
                              const std::filesystem::path& file,
                              const std::string& field);

}  // namespace proxytune::jobs
