#include "jobs/replay.h"

#include <algorithm>

#include <fmt/format.h>

#include "jobs/points_from_files.h"
#include "jobs/searched_options.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/search/replay.h"
#include "proxytune/store/results.h"
#include "proxytune/work/record.h"

namespace proxytune::jobs {

using Points = std::vector<search::ListedPoint>;

namespace {

std::string text_in(const core::Column& column, std::size_t row) {
  if (const auto* numbers = std::get_if<core::Doubles>(&column.values))
    return trials::text_of((*numbers)[row]);
  if (const auto* wholes = std::get_if<std::vector<std::int64_t>>(&column.values))
    return trials::text_of(wholes->at(row));
  return std::get<std::vector<std::string>>(column.values).at(row);
}

Points from_results(const std::filesystem::path& file, const std::string& arm) {
  const std::string prefix = "/search/";
  std::vector<std::string> known;
  for (const core::Table& table : store::read_results(file)) {
    if (!table.path.starts_with(prefix))
      continue;
    known.push_back(table.path.substr(prefix.size()));
    if (known.back() != arm)
      continue;
    Points points(table.rows());
    for (const core::Column& column : table.columns)
      for (std::size_t row = 0; row < points.size(); ++row)
        points[row][column.name] = text_in(column, row);
    return points;
  }
  throw core::DataError(fmt::format(
      "it has no search of an arm {}{}",
      arm,
      known.empty() ? std::string(", nor of any other")
                    : "; the arms that it has one of are: " + config::detail::join(known)));
}

/// Fields of a line, in double quotes where they hold commas.
std::vector<std::string> fields_of_line(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

/// A scalar, or a list as the study file's choices have it: "[64, 64, 64]".
std::string text_of(const config::Node& node) {
  if (node.kind != config::Node::Kind::sequence)
    return node.scalar;
  std::vector<std::string> items;
  for (const config::Node& item : node.items)
    items.push_back(item.scalar);
  return "[" + config::detail::join(items) + "]";
}

Points from_yaml(const std::filesystem::path& file) {
  const config::Node root = config::parse(core::read_file(file), file.string());
  const config::Node* list = root.find("points");
  if (list == nullptr || list->kind != config::Node::Kind::sequence)
    throw core::DataError(
        "it has no list \"points\", as points: [{learning_rate: 0.001}, ...]");
  Points points;
  for (const config::Node& item : list->items) {
    if (item.kind != config::Node::Kind::mapping)
      throw core::DataError(item.where + " is no mapping of fields to values");
    points.emplace_back();
    for (const config::Node::Entry& entry : item.entries)
      points.back()[entry.key] = text_of(entry.value);
  }
  return points;
}

Points read_points(const std::filesystem::path& file, const std::string& arm) {
  const std::string ending = file.extension().string();
  if (ending == ".h5")
    return from_results(file, arm);
  if (ending == ".csv")
    return points_from_csv(core::read_file(file));
  if (ending == ".yaml" || ending == ".yml")
    return from_yaml(file);
  throw core::DataError("its name ends in none of .h5, .csv, .yaml and .yml");
}

std::vector<std::vector<double>> points_of(const StudyOptions& options,
                                           const std::filesystem::path& file,
                                           const search::SearchOptions& resolved,
                                           const std::string& arm) {
  trials::HyperParameters base = base_of(options);
  base.options = values_of(options.training);
  const std::string& theirs = resolved.replay->arm;
  try {
    return search::replayed(
        read_points(file, theirs.empty() ? arm : theirs), {resolved.space}, base);
  } catch (const core::DataError& error) {
    throw core::DataError(
        fmt::format("search.replay.points is {}, but {}", file.string(), error.what()));
  }
}

std::string line_of(const std::string& arm,
                    std::size_t points,
                    const search::SearchOptions& resolved,
                    const std::filesystem::path& list) {
  const auto trials = static_cast<std::size_t>(resolved.trials);
  std::string line = fmt::format("search {} replays ", arm);
  if (points > trials)
    return line + fmt::format("the first {} of {} points of {}: raise search.trials for more",
                              trials,
                              points,
                              list.string());
  line += fmt::format("{} points of {}", points, list.string());
  return points == trials ? line : line + fmt::format(", fewer than search.trials, {}", trials);
}

}  // namespace

Points points_from_csv(std::string_view text) {
  // Spreadsheets write it before the first name.
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  std::vector<std::string> names;
  Points points;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line == "\r")
      continue;
    const std::vector<std::string> fields = fields_of_line(line);
    if (names.empty()) {
      names = fields;
      continue;
    }
    if (fields.size() != names.size())
      throw core::DataError(
          fmt::format("its line {} has {} fields, but the first line names {}",
                      number,
                      fields.size(),
                      names.size()));
    points.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i)
      points.back()[names[i]] = fields[i];
  }
  return points;
}

std::vector<std::vector<double>> replay_points(Study& study,
                                               const std::string& arm,
                                               const search::SearchOptions& resolved) {
  if (resolved.method != search::Method::replay)
    return {};
  return from_root(study.world(), [&] {
    const std::filesystem::path list = study.input(resolved.replay->points);
    UnitPoints points = points_of(study.options(), list, resolved, arm);
    study.log().info(line_of(arm, points.size(), resolved, list));
    return points;
  });
}

study::Fields replay_fields(const StudyOptions& options, const std::filesystem::path& list) {
  require_not_written_here(options, list, "search.replay.points");
  const search::SearchOptions resolved = resolved_search(options);
  const trials::HyperParameters base = base_of(options);
  study::Fields fields;
  for (const ArmOptions& arm : options.search_arms()) {
    int trial = 0;
    for (const std::vector<double>& point : points_of(options, list, resolved, arm.name)) {
      if (trial == resolved.trials)
        break;
      fields[fmt::format("{}{}.{}", replayed_trials, arm.name, trial++)] =
          work::to_json(trials::to_record(search::at({resolved.space}, base, point)));
    }
  }
  return fields;
}

}  // namespace proxytune::jobs
