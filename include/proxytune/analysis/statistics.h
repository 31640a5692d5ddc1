#pragma once

#include <span>
#include <vector>

namespace proxytune::analysis {

// All of these leave out what is NaN (of pairs: where either is) and say how many were left.

struct Interval {
  double low = 0, high = 0;
};

/// Mean and sample standard deviation (n-1); NaN where there are too few values.
struct Summary {
  double mean = 0;
  double deviation = 0;
  int n = 0;
};
Summary summarise(std::span<const double> values);
double mean(std::span<const double> values);
double sample_deviation(std::span<const double> values);

/// Pearson's r with its 95 % interval by Fisher's z: tanh(atanh r +- 1.96/sqrt(n-3)). r is NaN
/// where one side is constant or n < 2; the interval is NaN for n < 4.
struct Correlation {
  double value = 0;
  Interval interval;
  int n = 0;
};
Correlation pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rank correlation; equal values share the average of their ranks.
double spearman(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b.
double kendall(std::span<const double> x, std::span<const double> y);

/// Proxy quality of Shleifer and Prokop (arXiv 1906.04887): the share of the reference's
/// variance that a straight line in the proxy's scores explains, r^2.
double explained_variance(std::span<const double> proxy, std::span<const double> reference);

/// Position of the highest value, the first of equals; -1 where all are NaN.
int best(std::span<const double> scores);

/// What trusting the proxy costs: the reference's score of its own best choice less the
/// reference's score of the proxy's best. Only choices that both have scored count. NaN where
/// there is none.
double regret(std::span<const double> proxy, std::span<const double> reference);

/// Mean of x - y with its 95 % interval by Student's t over the pairs; NaN for fewer than 2.
struct MeanDifference {
  double value = 0;
  Interval interval;
  int n = 0;
};
MeanDifference paired_difference(std::span<const double> x, std::span<const double> y);

}  // namespace proxytune::analysis
