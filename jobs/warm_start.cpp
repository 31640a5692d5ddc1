#include "jobs/warm_start.h"

#include <utility>

#include <fmt/format.h>

#include "jobs/points_from_files.h"
#include "jobs/searched_options.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/store/results.h"
#include "proxytune/work/record.h"

namespace proxytune::jobs {
namespace {

/// Calls `what`; its complaints name the file.
template <class What>
auto naming(const std::filesystem::path& results, const What& what) {
  try {
    return what();
  } catch (const core::DataError& error) {
    throw core::DataError(
        fmt::format("search.warm_start.results is {}, but {}", results.string(), error.what()));
  }
}

/// An earlier study's results, read once.
class Earlier {
 public:
  explicit Earlier(std::filesystem::path results)
      : results_(std::move(results)), tables_(store::read_results(results_)) {
    // What later versions added has its default, what they dropped is not looked at.
    training::TrainingOptions options;
    const auto attributes = store::read_attributes(results_);
    const auto text = attributes.find("study");
    if (text == attributes.end())
      throw core::DataError(
          fmt::format("search.warm_start.results is {}, but it says nothing of its study",
                      results_.string()));
    const config::Node study = config::parse(text->second, results_.string());
    if (const config::Node* training = study.find("training")) {
      config::Reader reader(*training, "training");
      describe(reader, options);
    }
    options_ = values_of(options);
  }

  search::EarlierPoints points(const search::WarmStart& warm, const std::string& arm) const {
    return naming(results_, [&] {
      return search::earlier_points(
          tables_, warm.stage, warm.arm.empty() ? arm : warm.arm, options_);
    });
  }

 private:
  std::filesystem::path results_;
  std::vector<core::Table> tables_;
  OptionValues options_;
};

search::FirstProposals first(const StudyOptions& options,
                             const std::filesystem::path& results,
                             const search::SearchOptions& resolved,
                             const search::EarlierPoints& earlier) {
  trials::HyperParameters base = base_of(options);
  base.options = values_of(options.training);
  return naming(results, [&] {
    return search::first_proposals(earlier, {resolved.space}, base, resolved.warm_start->best);
  });
}

std::string line_of(const std::string& arm,
                    const search::FirstProposals& proposals,
                    const std::filesystem::path& results) {
  std::string line = fmt::format("search {} begins with {} points of {}",
                                 arm,
                                 proposals.unit_points.size(),
                                 results.string());
  if (proposals.clipped > 0)
    line += fmt::format(", {} of them clipped to this space's ranges", proposals.clipped);
  if (proposals.outside > 0)
    line += fmt::format("; {} better ones are not of this space ({})",
                        proposals.outside,
                        proposals.why_outside);
  return line;
}

}  // namespace

std::string warm_start_content(const StudyOptions& options,
                               const std::filesystem::path& results) {
  require_not_written_here(options, results, "search.warm_start.results");
  const Earlier earlier(results);
  const search::SearchOptions resolved = resolved_search(options);
  core::ContentHasher hasher;
  for (const ArmOptions& arm : options.search_arms()) {
    const search::EarlierPoints points = earlier.points(*resolved.warm_start, arm.name);
    first(options, results, resolved, points);
    hasher.add(arm.name);
    for (const search::EarlierPoint& point : points.points) {
      work::Record record = trials::to_record(point.hyper_parameters);
      record.set("dice", point.dice);
      hasher.add(work::to_json(record));
    }
  }
  return hasher.hexadecimal();
}

std::vector<std::vector<double>> first_points(Study& study,
                                              const std::string& arm,
                                              const search::SearchOptions& resolved) {
  if (!resolved.warm_start)
    return {};
  return from_root(study.world(), [&] {
    const std::filesystem::path results = study.input(resolved.warm_start->results);
    search::FirstProposals proposals = first(
        study.options(), results, resolved, Earlier(results).points(*resolved.warm_start, arm));
    study.log().info(line_of(arm, proposals, results));
    return std::move(proposals.unit_points);
  });
}

}  // namespace proxytune::jobs
