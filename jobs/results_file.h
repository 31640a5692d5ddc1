#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/stages.h"
#include "proxytune/core/table.h"

namespace proxytune::jobs {

/// Cases, pair matrices (or sampled pairs), importances, near duplicates.
std::vector<core::Table> ranking_tables(const PreparedData& data, const Rankings& rankings);

/// Writes the study's tables as this file of its folder, by all ranks; columns of several
/// dimensions go to `<path>_arrays`. Returns the file. Collective.
std::filesystem::path write_tables(Study& study,
                                   const std::vector<core::Table>& tables,
                                   const std::string& name);

}  // namespace proxytune::jobs
