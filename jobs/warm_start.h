#pragma once

#include <string>
#include <vector>

#include "jobs/study.h"
#include "proxytune/search/warm_start.h"

namespace proxytune::jobs {

/// Content hash of what the study's warm start takes from the earlier study's results, for all
/// arms that search; times and hosts are not part of it. Throws core::DataError where there is
/// nothing to be taken.
std::string warm_start_content(const StudyOptions& options,
                               const std::filesystem::path& results);

/// Where the search of an arm begins, and a line of it in the log; nowhere without a warm
/// start. Collective.
std::vector<std::vector<double>> first_points(Study& study,
                                              const std::string& arm,
                                              const search::SearchOptions& resolved);

}  // namespace proxytune::jobs
