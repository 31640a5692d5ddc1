#include "jobs/replay.h"

#include <algorithm>

#include <fmt/format.h>

#include "jobs/searched_options.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/core/hash.h"
#include "proxytune/search/replay.h"
#include "proxytune/store/results.h"
#include "proxytune/work/record.h"

namespace proxytune::jobs {
namespace {

using Points = std::vector<search::ListedPoint>;

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

Points from_csv(const std::string& text) {
  std::vector<std::string> names;
  Points points;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
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
    return from_csv(core::read_file(file));
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

std::string lines_of(const std::vector<std::vector<double>>& points) {
  std::string lines;
  for (const std::vector<double>& point : points)
    lines += work::to_json(work::Record().set("point", point)) + "\n";
  return lines;
}

}  // namespace

std::vector<std::vector<double>> replay_points(Study& study,
                                               const std::string& arm,
                                               const search::SearchOptions& resolved) {
  if (resolved.method != search::Method::replay)
    return {};
  const std::string text = comm::from_root(study.world(), [&] {
    return lines_of(
        points_of(study.options(), study.input(resolved.replay->points), resolved, arm));
  });
  std::vector<std::vector<double>> points;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    points.push_back(work::from_json(text.substr(begin, end - begin)).numbers("point"));
    begin = end + 1;
  }
  return points;
}

std::string replay_content(const StudyOptions& options, const std::filesystem::path& list) {
  if (list ==
      std::filesystem::absolute(options.output.folder).lexically_normal() / "results.h5")
    throw core::ConfigurationError(
        fmt::format("search.replay.points is {}, which this study itself writes. Copy it "
                    "elsewhere, or choose another output.folder.",
                    list.string()));
  const search::SearchOptions resolved = resolved_search(options);
  core::ContentHasher hasher;
  for (const ArmOptions& arm : options.search_arms())
    for (const std::string& text :
         {arm.name, lines_of(points_of(options, list, resolved, arm.name))})
      hasher.add(text);
  return hasher.hexadecimal();
}

}  // namespace proxytune::jobs
