#include "proxytune/analysis/statistics.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/reference/reference_numbers.h"

namespace proxytune::analysis {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> x{0.81, 0.79, 0.85, 0.62, 0.79, 0.91, 0.44, 0.88};
const std::vector<double> y{0.71, 0.74, 0.80, 0.60, 0.66, 0.83, 0.60, 0.85};

TEST(StatisticsTest, EqualScipys) {
  const auto numbers = test::reference_numbers("similarity_reference");
  const Correlation r = pearson(x, y);
  EXPECT_NEAR(r.value, numbers.at("pearson"), 1e-12);
  EXPECT_NEAR(r.interval.low, numbers.at("pearson_low"), 1e-12);
  EXPECT_NEAR(r.interval.high, numbers.at("pearson_high"), 1e-12);
  EXPECT_EQ(r.n, 8);
  EXPECT_NEAR(spearman(x, y), numbers.at("spearman"), 1e-12);
  EXPECT_NEAR(kendall(x, y), numbers.at("kendall"), 1e-12);
  EXPECT_NEAR(explained_variance(x, y), numbers.at("shleifer"), 1e-12);
  const MeanDifference difference = paired_difference(x, y);
  EXPECT_NEAR(difference.interval.low, numbers.at("difference_low"), 1e-9);
  EXPECT_NEAR(difference.interval.high, numbers.at("difference_high"), 1e-9);
}

TEST(StatisticsTest, LeaveOutPairsWithAMissingSide) {
  auto longer_x = x;
  auto longer_y = y;
  longer_x.insert(longer_x.begin() + 2, {nan, 0.1, nan});
  longer_y.insert(longer_y.begin() + 2, {0.9, nan, nan});
  EXPECT_EQ(pearson(longer_x, longer_y).value, pearson(x, y).value);
  EXPECT_EQ(pearson(longer_x, longer_y).n, 8);
  EXPECT_EQ(spearman(longer_x, longer_y), spearman(x, y));
  EXPECT_EQ(kendall(longer_x, longer_y), kendall(x, y));
  EXPECT_EQ(paired_difference(longer_x, longer_y).value, paired_difference(x, y).value);
}

TEST(PearsonTest, IsMissingWhereOneSideIsConstantAndItsIntervalBelowFourPoints) {
  EXPECT_TRUE(std::isnan(pearson(x, std::vector<double>(8, 0.1)).value));
  EXPECT_TRUE(std::isnan(pearson({}, {}).value));
  EXPECT_TRUE(std::isnan(spearman(x, std::vector<double>(8, 0.1))));
  EXPECT_TRUE(std::isnan(kendall(x, std::vector<double>(8, 0.1))));
  const std::vector<double> three{1, 2, 4};
  EXPECT_FALSE(std::isnan(pearson(three, std::vector<double>{1, 2, 3}).value));
  EXPECT_TRUE(std::isnan(pearson(three, std::vector<double>{1, 2, 3}).interval.low));
}

TEST(PearsonTest, OfALineIsOneWithAnIntervalOfOne) {
  const std::vector<double> line{1, 2, 3, 4, 5};
  const Correlation r = pearson(line, line);
  EXPECT_DOUBLE_EQ(r.value, 1);
  EXPECT_NEAR(r.interval.low, 1, 1e-6);
}

TEST(SummariseTest, UsesTheSampleDeviationAndSkipsMissingValues) {
  const Summary summary = summarise(std::vector<double>{1, nan, 2, 3, 4});
  EXPECT_DOUBLE_EQ(summary.mean, 2.5);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt(5.0 / 3));
  EXPECT_EQ(summary.n, 4);
  EXPECT_TRUE(std::isnan(summarise({}).mean));
  EXPECT_TRUE(std::isnan(summarise(std::vector<double>{2}).deviation));
  EXPECT_DOUBLE_EQ(summarise(std::vector<double>{2}).mean, 2);
}

TEST(RegretTest, IsWhatTrustingTheProxyCosts) {
  EXPECT_NEAR(
      regret(std::vector<double>{1, 3, 2}, std::vector<double>{0.9, 0.7, 0.8}), 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(regret(std::vector<double>{5, 3}, std::vector<double>{0.9, 0.7}), 0.0);
  EXPECT_NEAR(
      regret(std::vector<double>{nan, 3, 2}, std::vector<double>{0.9, 0.7, 0.8}), 0.1, 1e-12);
  EXPECT_TRUE(std::isnan(regret(std::vector<double>{nan}, std::vector<double>{1})));
}

TEST(PairedDifferenceTest, OfOnePairHasNoInterval) {
  const auto difference = paired_difference(std::vector<double>{3}, std::vector<double>{1});
  EXPECT_EQ(difference.value, 2);
  EXPECT_TRUE(std::isnan(difference.interval.low));
}

}  // namespace
}  // namespace proxytune::analysis
