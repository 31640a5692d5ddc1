#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/study.h"

namespace proxytune::jobs {

/// The points that the arm's replay proposes; none where the method is another. Throws
/// core::DataError where the list gives none, or one that is not of the search space.
/// Collective.
std::vector<std::vector<double>> replay_points(Study& study,
                                               const std::string& arm,
                                               const search::SearchOptions& resolved);

/// What all arms take from the list, as a hash. Throws core::DataError as above.
std::string replay_content(const StudyOptions& options, const std::filesystem::path& list);

}  // namespace proxytune::jobs
