#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/study.h"
#include "proxytune/search/replay.h"

namespace proxytune::jobs {

/// Points of a CSV text, whose first line names its columns. Throws core::DataError where
/// another line has more or fewer cells.
std::vector<search::ListedPoint> points_from_csv(std::string_view text);

/// The points that the arm's replay proposes, and a line in the log of how many; none where the
/// method is another. Throws core::DataError where the list gives none, or one that is not of
/// the search space. Collective.
std::vector<std::vector<double>> replay_points(Study& study,
                                               const std::string& arm,
                                               const search::SearchOptions& resolved);

/// How the fields begin that say what an arm's trial is: "search.replay.content.ARM.TRIAL".
inline constexpr const char* replayed_trials = "search.replay.content.";
/// What of the list is part of the study: the points that become trials, each a field. Throws
/// core::DataError as above.
study::Fields replay_fields(const StudyOptions& options, const std::filesystem::path& list);

}  // namespace proxytune::jobs
