#include "proxytune/selection/importance.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/random.h"

namespace proxytune::selection {
namespace {

const similarity::PairMatrix three{3, 3, {9, 1, 2, 1, 1, 3, 2, 3, 4}};
const ImportanceOptions mean{};
const ImportanceOptions median{.importance = Statistic::median};
const ImportanceOptions lowest{.importance = Statistic::quantile, .quantile = 0};

/// The textbook's: walks from each order statistic to the next until the share is reached.
double textbook_quantile(std::vector<double> values, double share) {
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i + 1; j < values.size(); ++j)
      if (values[j] < values[i])
        std::swap(values[i], values[j]);
  const auto gaps = static_cast<double>(values.size() - 1);
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    const double begin = static_cast<double>(i) / gaps;
    const double end = static_cast<double>(i + 1) / gaps;
    if (share <= end)
      return (values[i] * (end - share) + values[i + 1] * (share - begin)) / (end - begin);
  }
  return values.back();
}

TEST(QuantileTest, IsNumpys) {
  // numpy.quantile([5, 1, 4, 2, 9, 2], [0, 0.1, 0.25, 0.5, 0.9, 1])
  const std::vector<double> values{5, 1, 4, 2, 9, 2};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 1.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 2);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 7);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 9);
  EXPECT_DOUBLE_EQ(quantile({3}, 0.1), 3);
}

TEST(QuantileTest, IsTheTextbooks) {
  core::Random random(core::RandomKey(4));
  for (int count = 1; count < 40; ++count) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i)
      values.push_back(random.uniform());
    for (const double share : {0.0, 0.05, 0.1, 0.5, 0.77, 1.0})
      EXPECT_NEAR(quantile(values, share), textbook_quantile(values, share), 1e-12);
  }
}

TEST(ImportanceTest, IsTheMeanOfARowUnlessSaidOtherwise) {
  EXPECT_EQ(importance(three, mean, true), (std::vector<double>{4, 5.0 / 3, 3}));
  EXPECT_EQ(importance(three, median, true), (std::vector<double>{2, 1, 3}));
  EXPECT_EQ(importance(three, lowest, true), (std::vector<double>{1, 1, 2}));
}

TEST(ImportanceTest, LeavesOutTheSelfPairOnRequestAndThenRanksOtherwise) {
  EXPECT_EQ(importance(three, mean, false), (std::vector<double>{1.5, 2, 2.5}));
  EXPECT_EQ(importance(three, median, false), (std::vector<double>{1.5, 2, 2.5}));
  EXPECT_EQ(importance(three, lowest, false), (std::vector<double>{1, 1, 2}));
  EXPECT_EQ(order_of_importance(importance(three, mean, true)), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(order_of_importance(importance(three, mean, false)), (std::vector<int>{0, 1, 2}));
}

TEST(ImportanceTest, OfAnAsymmetricMatrixIsOfRows) {
  const similarity::PairMatrix matrix{2, 2, {1, 5, 2, 1}};
  EXPECT_EQ(importance(matrix, mean, false), (std::vector<double>{5, 2}));
}

TEST(ImportanceTest, ByTheMedianIgnoresOneTwinThatTheMeanHeeds) {
  // Volume 0 has a twin and resembles nobody else; volume 2 resembles all a little.
  const similarity::PairMatrix twins{4, 4, {9, 8, 1, 1, 8, 9, 1, 1, 1, 1, 9, 2, 1, 1, 2, 9}};
  EXPECT_GT(importance(twins, mean, false)[0], importance(twins, mean, false)[2]);
  EXPECT_EQ(importance(twins, median, false)[0], importance(twins, median, false)[2]);
}

TEST(ImportanceTest, RefusesASingleVolumeWithoutItsSelfPair) {
  const similarity::PairMatrix one{1, 1, {2}};
  EXPECT_EQ(importance(one, mean, true), std::vector<double>{2});
  EXPECT_EQ(importance(one, median, true), std::vector<double>{2});
  EXPECT_THROW(importance(one, mean, false), core::DataError);
}

TEST(ImportanceOptionsTest, RefuseAQuantileThatIsNone) {
  for (const double share : {-0.1, 1.01, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THROW(validate(ImportanceOptions{.quantile = share}), core::FieldError);
  EXPECT_NO_THROW(validate(ImportanceOptions{.quantile = 1}));
}

TEST(ImportanceOptionsTest, HaveOneNameWhereTheyMeanTheSame) {
  EXPECT_EQ(name_of({}), "mean");
  EXPECT_EQ(name_of({.importance = Statistic::mean, .quantile = 0.3}), "mean");
  EXPECT_EQ(name_of(median), "median");
  EXPECT_EQ(name_of({.importance = Statistic::quantile, .quantile = 0.25}), "quantile_0.25");
}

TEST(ImportanceTableTest, SaysPlaceAndStatistic) {
  const auto table = importance_table({"a", "b", "c"}, {4, 1, 3}, median, "nat", "/importance");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(table.column("place").values),
            (std::vector<std::int64_t>{2, 0, 1}));
  EXPECT_EQ(std::get<std::vector<std::string>>(table.column("statistic").values),
            (std::vector<std::string>{"median", "median", "median"}));
}

}  // namespace
}  // namespace proxytune::selection
