#include "proxytune/selection/sampled_importance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "proxytune/core/error.h"
#include "proxytune/core/student.h"
#include "proxytune/selection/importance.h"

namespace proxytune::selection {
namespace {

/// What is known of one row: similarities to others, by column, and to itself.
struct Row {
  std::vector<std::pair<int, double>> others;
  std::optional<double> self;
};

std::vector<Row> rows_of(int volumes, const std::vector<PairValue>& compared, bool symmetric) {
  std::vector<Row> rows(static_cast<std::size_t>(volumes));
  for (const PairValue& pair : compared) {
    if (std::min(pair.row, pair.column) < 0 || std::max(pair.row, pair.column) >= volumes)
      throw std::invalid_argument("a pair outside the matrix");
    Row& row = rows[static_cast<std::size_t>(pair.row)];
    if (pair.row == pair.column) {
      row.self = pair.similarity;
      continue;
    }
    row.others.emplace_back(pair.column, pair.similarity);
    if (symmetric)
      rows[static_cast<std::size_t>(pair.column)].others.emplace_back(pair.row,
                                                                      pair.similarity);
  }
  return rows;
}

/// Sums run by column, so that they do not depend on the order of the list.
void sort_by_column(Row& row) {
  std::sort(row.others.begin(), row.others.end());
  if (std::adjacent_find(row.others.begin(), row.others.end(), [](auto& one, auto& other) {
        return one.first == other.first;
      }) != row.others.end())
    throw std::invalid_argument("a pair is there twice");
}

double mean_of(const Row& row) {
  double sum = 0;
  for (const auto& [column, similarity] : row.others)
    sum += similarity;
  return sum / static_cast<double>(row.others.size());
}

/// Half of the interval of the mean over `population` others.
double half_width(const Row& row, double mean, int population) {
  const auto count = static_cast<double>(row.others.size());
  if (static_cast<int>(row.others.size()) == population)
    return 0;
  double squares = 0;
  for (const auto& [column, similarity] : row.others)
    squares += (similarity - mean) * (similarity - mean);
  const double variance = squares / (count - 1) * (1 - count / population) / count;
  return core::student_975(static_cast<int>(row.others.size()) - 1) * std::sqrt(variance);
}

ImportanceEstimate estimate(const Row& row, int volumes, bool include_self) {
  if ((include_self && !row.self) || (row.others.empty() && (volumes > 1 || !include_self)))
    throw core::DataError(
        "the importance of a volume comes from its pairs, and one volume has none, or none "
        "with itself. Compare every volume with at least one other.");
  if (row.others.empty())
    return {*row.self, *row.self, *row.self, 0};
  const int population = volumes - 1;
  double mean = mean_of(row);
  double half = half_width(row, mean, population);
  if (include_self) {
    mean = (*row.self + population * mean) / volumes;
    half *= static_cast<double>(population) / volumes;
  }
  return {mean, mean - half, mean + half, static_cast<int>(row.others.size())};
}

/// Median and largest; NaN where a width is.
std::pair<double, double> widths_of(const std::vector<ImportanceEstimate>& estimates) {
  std::vector<double> widths;
  for (const ImportanceEstimate& one : estimates)
    widths.push_back(one.high - one.low);
  if (std::any_of(widths.begin(), widths.end(), [](double width) { return std::isnan(width); }))
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  return {quantile(widths, 0.5), quantile(widths, 1)};
}

}  // namespace

std::vector<ImportanceEstimate> estimate_importance(int volumes,
                                                    const std::vector<PairValue>& compared,
                                                    bool symmetric,
                                                    bool include_self) {
  std::vector<ImportanceEstimate> estimates;
  for (Row& row : rows_of(volumes, compared, symmetric)) {
    sort_by_column(row);
    estimates.push_back(estimate(row, volumes, include_self));
  }
  return estimates;
}

std::vector<double> importance_of(const std::vector<ImportanceEstimate>& estimates) {
  std::vector<double> values;
  for (const ImportanceEstimate& one : estimates)
    values.push_back(one.importance);
  return values;
}

Sureness sureness_of(const std::vector<ImportanceEstimate>& estimates, int budget) {
  const auto order = order_of_importance(importance_of(estimates));
  const auto at = [&](std::size_t place) -> const ImportanceEstimate& {
    return estimates[static_cast<std::size_t>(order[place])];
  };
  const auto [fewest, most] = std::minmax_element(
      estimates.begin(), estimates.end(), [](const auto& one, const auto& other) {
        return one.pairs < other.pairs;
      });
  Sureness result{.fewest_pairs = fewest->pairs, .most_pairs = most->pairs};
  std::tie(result.median_width, result.largest_width) = widths_of(estimates);
  const auto chosen = static_cast<std::size_t>(budget);
  for (std::size_t place = 0; place < order.size() && chosen < order.size(); ++place) {
    // A NaN is neither: such a volume counts.
    if (place < chosen)
      result.could_leave += at(place).high <= at(chosen).importance ? 0 : 1;
    else
      result.could_enter += at(place).low >= at(chosen - 1).importance ? 0 : 1;
  }
  return result;
}

std::string to_text(const Sureness& sureness, int budget, const std::string& unit) {
  std::ostringstream text;
  text.precision(3);
  text << sureness.fewest_pairs << " to " << sureness.most_pairs
       << " pairs a volume, 95 % intervals of the importance " << sureness.median_width;
  if (unit != "1")
    text << ' ' << unit;
  text << " wide (median; at most " << sureness.largest_width << "); of the " << budget
       << " of lowest importance " << sureness.could_leave << " could leave and "
       << sureness.could_enter << " others enter";
  return text.str();
}

core::Table importance_table(const std::vector<std::string>& names,
                             const std::vector<ImportanceEstimate>& estimates,
                             const std::string& unit,
                             const std::string& path) {
  std::vector<double> low;
  std::vector<double> high;
  std::vector<std::int64_t> pairs;
  for (const ImportanceEstimate& one : estimates) {
    low.push_back(one.low);
    high.push_back(one.high);
    pairs.push_back(one.pairs);
  }
  core::Table table = importance_table(names, importance_of(estimates), {}, unit, path);
  table.add("importance_low", unit, "Lower end of the importance's 95 % interval.", low)
      .add("importance_high", unit, "Upper end of the importance's 95 % interval.", high)
      .add("pairs", "1", "Other volumes that the volume was compared with.", pairs);
  core::validate(table);
  return table;
}

}  // namespace proxytune::selection
