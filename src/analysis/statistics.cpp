#include "proxytune/analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "proxytune/core/student.h"

namespace proxytune::analysis {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double normal_975 = 1.959963984540054;

struct Pairs {
  std::vector<double> x, y;
  int n() const { return static_cast<int>(x.size()); }
};

Pairs complete_pairs(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size())
    throw std::invalid_argument("pairs of unequal length");
  Pairs pairs;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i]) && !std::isnan(y[i])) {
      pairs.x.push_back(x[i]);
      pairs.y.push_back(y[i]);
    }
  return pairs;
}

bool is_constant(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) ==
         values.end();
}

double correlation(const Pairs& pairs) {
  if (pairs.n() < 2 || is_constant(pairs.x) || is_constant(pairs.y))
    return nan;
  const double mean_x = mean(pairs.x);
  const double mean_y = mean(pairs.y);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < pairs.x.size(); ++i) {
    const double dx = pairs.x[i] - mean_x;
    const double dy = pairs.y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

std::vector<double> average_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]])
      ++end;
    for (std::size_t i = begin; i < end; ++i)
      ranks[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return ranks;
}

int sign(double value) {
  return value > 0 ? 1 : (value < 0 ? -1 : 0);
}

}  // namespace

Summary summarise(std::span<const double> values) {
  Summary summary{nan, nan, 0};
  double sum = 0;
  for (const double value : values)
    if (!std::isnan(value)) {
      sum += value;
      ++summary.n;
    }
  if (summary.n == 0)
    return summary;
  summary.mean = sum / summary.n;
  if (summary.n == 1)
    return summary;
  double squares = 0;
  for (const double value : values)
    if (!std::isnan(value))
      squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = std::sqrt(squares / (summary.n - 1));
  return summary;
}

double mean(std::span<const double> values) {
  return summarise(values).mean;
}
double sample_deviation(std::span<const double> values) {
  return summarise(values).deviation;
}

Correlation pearson(std::span<const double> x, std::span<const double> y) {
  const Pairs pairs = complete_pairs(x, y);
  Correlation result{correlation(pairs), {nan, nan}, pairs.n()};
  if (pairs.n() < 4 || std::isnan(result.value))
    return result;
  const double z = std::atanh(result.value);
  const double half_width = normal_975 / std::sqrt(pairs.n() - 3.0);
  result.interval = {std::tanh(z - half_width), std::tanh(z + half_width)};
  return result;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  const Pairs pairs = complete_pairs(x, y);
  return correlation({average_ranks(pairs.x), average_ranks(pairs.y)});
}

double kendall(std::span<const double> x, std::span<const double> y) {
  const Pairs pairs = complete_pairs(x, y);
  double concordance = 0;
  double untied_x = 0;
  double untied_y = 0;
  for (std::size_t i = 0; i < pairs.x.size(); ++i)
    for (std::size_t j = i + 1; j < pairs.x.size(); ++j) {
      const int along_x = sign(pairs.x[i] - pairs.x[j]);
      const int along_y = sign(pairs.y[i] - pairs.y[j]);
      concordance += along_x * along_y;
      untied_x += along_x * along_x;
      untied_y += along_y * along_y;
    }
  return untied_x > 0 && untied_y > 0 ? concordance / std::sqrt(untied_x * untied_y) : nan;
}

double explained_variance(std::span<const double> proxy, std::span<const double> reference) {
  const double r = pearson(proxy, reference).value;
  return r * r;
}

int best(std::span<const double> scores) {
  int position = -1;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!std::isnan(scores[i]) &&
        (position < 0 || scores[i] > scores[static_cast<std::size_t>(position)]))
      position = static_cast<int>(i);
  return position;
}

double regret(std::span<const double> proxy, std::span<const double> reference) {
  const Pairs pairs = complete_pairs(proxy, reference);
  const int of_proxy = best(pairs.x);
  if (of_proxy < 0)
    return nan;
  return pairs.y[static_cast<std::size_t>(best(pairs.y))] -
         pairs.y[static_cast<std::size_t>(of_proxy)];
}

MeanDifference paired_difference(std::span<const double> x, std::span<const double> y) {
  const Pairs pairs = complete_pairs(x, y);
  std::vector<double> differences(pairs.x.size());
  std::transform(
      pairs.x.begin(), pairs.x.end(), pairs.y.begin(), differences.begin(), std::minus<>());
  const Summary summary = summarise(differences);
  MeanDifference result{summary.mean, {nan, nan}, summary.n};
  if (summary.n < 2)
    return result;
  const double half_width = core::student_975(summary.n - 1) * summary.deviation /
                            std::sqrt(static_cast<double>(summary.n));
  result.interval = {summary.mean - half_width, summary.mean + half_width};
  return result;
}

}  // namespace proxytune::analysis
