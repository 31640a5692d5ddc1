#include <algorithm>
#include <cmath>
#include <map>

#include "proxytune/core/error.h"
#include "proxytune/search/warm_start.h"
#include "search/space_fields.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;

FieldValue value_in(const core::Column& column, std::size_t row) {
  if (const auto* numbers = std::get_if<core::Doubles>(&column.values))
    return (*numbers)[row];
  if (const auto* wholes = std::get_if<std::vector<std::int64_t>>(&column.values))
    return wholes->at(row);
  return std::get<std::vector<std::string>>(column.values).at(row);
}

std::string text_in(const core::Table& table, const std::string& column, std::size_t row) {
  return trials::text_of(value_in(table.column(column), row));
}

/// "training_loss" is training.loss; other columns are no training options.
std::string path_of(const std::string& column) {
  const std::string prefix = trials::column_of(trials::training_prefix);
  const bool counts = column == "training_cases";
  return column.starts_with(prefix) && !counts
             ? trials::training_prefix + column.substr(prefix.size())
             : "";
}

HyperParameters point_in(const core::Table& table,
                         std::size_t row,
                         const std::map<std::string, FieldValue>& options) {
  HyperParameters hyper;
  hyper.options = options;
  for (const core::Column& column : table.columns) {
    const std::string path = path_of(column.name);
    if (!path.empty())
      hyper.options[path] = value_in(column, row);
  }
  std::map<std::string, const core::Column*> columns;
  for (const core::Column& column : table.columns)
    columns[column.name] = &column;
  for (const SearchableField& own : own_fields()) {
    // Studies of earlier versions lack fields that came later: these had their defaults.
    const auto found = columns.find(own.field);
    if (found != columns.end())
      set_value(hyper, own.field, value_in(*found->second, row));
  }
  return hyper;
}

bool names_arm(const std::string& arms, const std::string& arm) {
  return ("," + arms + ",").find("," + arm + ",") != std::string::npos;
}

/// Adds up the repeats of a point.
struct Sum {
  HyperParameters hyper_parameters;
  double dice = 0;
  int count = 0;
};

const core::Table* table_at(const std::vector<core::Table>& tables, const std::string& path) {
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const core::Table& table) {
    return table.path == path;
  });
  return found == tables.end() ? nullptr : &*found;
}

[[noreturn]] void refuse_arm(const std::string& stage,
                             const std::string& arm,
                             const std::vector<std::string>& known) {
  throw core::DataError("it has no " + stage + " of an arm " + arm +
                        (known.empty()
                             ? ", nor of any other"
                             : "; the arms that it has one of are: " + listed(known)));
}

const core::Table& search_table(const std::vector<core::Table>& tables,
                                const std::string& arm) {
  const std::string prefix = "/search/";
  if (const core::Table* table = table_at(tables, prefix + arm))
    return *table;
  std::vector<std::string> known;
  for (const core::Table& table : tables)
    if (table.path.starts_with(prefix))
      known.push_back(table.path.substr(prefix.size()));
  refuse_arm("search", arm, known);
}

std::vector<std::string> arms_of(const core::Table& sweep) {
  std::set<std::string> names;
  for (std::size_t row = 0; row < sweep.rows(); ++row) {
    const std::string arms = text_in(sweep, "arms", row);
    for (std::size_t begin = 0; begin <= arms.size();) {
      const std::size_t end = std::min(arms.find(',', begin), arms.size());
      names.insert(arms.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace

EarlierPoints earlier_points(const std::vector<core::Table>& tables,
                             EarlierStage stage,
                             const std::string& arm,
                             const std::map<std::string, FieldValue>& options) {
  const bool searched = stage == EarlierStage::search;
  const core::Table* sweep = searched ? nullptr : table_at(tables, "/trials/sweep");
  if (!searched && sweep == nullptr)
    refuse_arm("sweep", arm, {});
  const core::Table& table = searched ? search_table(tables, arm) : *sweep;
  std::vector<Sum> sums;
  bool met = searched;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!searched && !names_arm(text_in(table, "arms", row), arm))
      continue;
    met = true;
    const auto dice =
        trials::number_in(value_in(table.column(searched ? "reward" : "validation_dice"), row));
    if (text_in(table, "status", row) != "completed" || !dice || std::isnan(*dice))
      continue;
    const HyperParameters hyper = point_in(table, row, options);
    auto sum = std::find_if(sums.begin(), sums.end(), [&](const Sum& one) {
      return one.hyper_parameters == hyper;
    });
    if (sum == sums.end())
      sum = sums.insert(sum, Sum{.hyper_parameters = hyper});
    sum->dice += *dice;
    ++sum->count;
  }
  if (!met)
    refuse_arm("sweep", arm, arms_of(table));
  EarlierPoints earlier;
  for (const Sum& sum : sums)
    earlier.points.push_back({sum.hyper_parameters, sum.dice / sum.count});
  std::stable_sort(
      earlier.points.begin(),
      earlier.points.end(),
      [](const EarlierPoint& one, const EarlierPoint& other) { return one.dice > other.dice; });
  for (const core::Column& column : table.columns)
    if (const std::string path = path_of(column.name); !path.empty())
      earlier.varied.insert(path);
  return earlier;
}

}  // namespace proxytune::search
