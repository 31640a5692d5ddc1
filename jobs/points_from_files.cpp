#include "jobs/points_from_files.h"

#include <sstream>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/work/record.h"

namespace proxytune::jobs {

UnitPoints from_root(comm::Communicator& world, const std::function<UnitPoints()>& find) {
  std::istringstream lines(comm::from_root(world, [&] {
    std::string text;
    for (const std::vector<double>& point : find())
      text += work::to_json(work::Record().set("point", point)) + "\n";
    return text;
  }));
  UnitPoints points;
  for (std::string line; std::getline(lines, line);)
    points.push_back(work::from_json(line).numbers("point"));
  return points;
}

void require_not_written_here(const StudyOptions& options,
                              const std::filesystem::path& file,
                              const std::string& field) {
  if (file ==
      std::filesystem::absolute(options.output.folder).lexically_normal() / "results.h5")
    throw core::ConfigurationError(
        fmt::format("{} is {}, which this study itself writes. Copy it elsewhere, or choose "
                    "another output.folder.",
                    field,
                    file.string()));
}

}  // namespace proxytune::jobs
