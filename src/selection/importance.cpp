#include "proxytune/selection/importance.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "proxytune/core/error.h"

namespace proxytune::selection {
namespace {

std::vector<double> similarities_of(const similarity::PairMatrix& matrix,
                                    int row,
                                    bool include_self) {
  std::vector<double> values;
  for (int column = 0; column < matrix.columns; ++column)
    if (include_self || column != row)
      values.push_back(matrix.at(row, column));
  if (values.empty())
    throw core::DataError(
        "the importance of a volume comes from its pairs, and without the pair with itself "
        "there is none. Use at least 2 volumes, or similarity.include_self: true.");
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

double reduce(const std::vector<double>& values, const ImportanceOptions& options) {
  if (options.importance == Statistic::mean)
    return mean(values);
  return quantile(values, options.importance == Statistic::median ? 0.5 : options.quantile);
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] +
         (position - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<double> importance(const similarity::PairMatrix& matrix,
                               const ImportanceOptions& options,
                               bool include_self) {
  std::vector<double> result;
  for (int row = 0; row < matrix.rows; ++row)
    result.push_back(reduce(similarities_of(matrix, row, include_self), options));
  return result;
}

std::vector<int> order_of_importance(const std::vector<double>& importance) {
  std::vector<int> order(importance.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int one, int other) {
    return importance[static_cast<std::size_t>(one)] <
           importance[static_cast<std::size_t>(other)];
  });
  return order;
}

core::Table importance_table(const std::vector<std::string>& names,
                             const std::vector<double>& importance,
                             const ImportanceOptions& options,
                             const std::string& unit,
                             const std::string& path) {
  std::vector<std::int64_t> places(importance.size());
  std::int64_t place = 0;
  for (const int volume : order_of_importance(importance))
    places[static_cast<std::size_t>(volume)] = place++;
  core::Table table{
      path, "Importance of each internal volume: the lowest are least like the others.", {}};
  table.add("case", "1", "Name of the volume.", names);
  table.add("importance",
            unit,
            "What the volume's similarities to all volumes are reduced to.",
            importance);
  table.add("place", "1", "Place of the volume by importance; 0 is the lowest.", places);
  table.add("statistic",
            "1",
            "How the similarities are reduced: mean, median, or a quantile.",
            std::vector<std::string>(names.size(), name_of(options)));
  core::validate(table);
  return table;
}

}  // namespace proxytune::selection
