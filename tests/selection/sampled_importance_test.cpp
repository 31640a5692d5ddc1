#include "proxytune/selection/sampled_importance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/random.h"
#include "proxytune/selection/importance.h"
#include "proxytune/selection/partners.h"

namespace proxytune::selection {
namespace {

using similarity::PairMatrix;

PairMatrix random_matrix(int volumes, bool symmetric) {
  core::Random random(core::RandomKey(8));
  const auto n = static_cast<std::size_t>(volumes);
  std::vector<double> values(n * n);
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t column = 0; column < n; ++column)
      values[row * n + column] =
          symmetric && column < row ? values[column * n + row] : 2 + random.normal();
  return {volumes, volumes, values};
}

std::vector<std::vector<int>> partners_of(int volumes, std::uint64_t seed, int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < volumes; ++i)
    keys.push_back(std::to_string(i));
  return draw_partners(keys, core::RandomKey(seed), count);
}

std::vector<PairValue> compare(const PairMatrix& matrix,
                               bool symmetric,
                               bool include_self,
                               std::uint64_t seed,
                               int count) {
  std::vector<PairValue> values;
  for (const similarity::Cell& pair :
       sampled_pairs(partners_of(matrix.rows, seed, count), symmetric, include_self))
    values.push_back({pair.row, pair.column, matrix.at(pair.row, pair.column)});
  return values;
}

TEST(SampledImportanceTest, FromAllPairsIsTheImportanceWithoutDoubt) {
  for (const bool symmetric : {true, false})
    for (const bool include_self : {true, false}) {
      const PairMatrix matrix = random_matrix(9, symmetric);
      const auto exact = importance(matrix, {}, include_self);
      const auto estimates = estimate_importance(
          9, compare(matrix, symmetric, include_self, 1, 8), symmetric, include_self);
      for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_NEAR(estimates[i].importance, exact[i], 1e-12);
        EXPECT_EQ(estimates[i].low, estimates[i].importance);
        EXPECT_EQ(estimates[i].high, estimates[i].importance);
        EXPECT_EQ(estimates[i].pairs, 8);
      }
      const Sureness sureness = sureness_of(estimates, 4);
      EXPECT_EQ(sureness.could_leave + sureness.could_enter, 0);
    }
}

TEST(SampledImportanceTest, HasTheTextbooksInterval) {
  // Row 0 knows 3 of 9 others: mean 4, s = 2, t(2) = 4.302653, correction sqrt(2/3).
  std::vector<PairValue> compared{{0, 3, 2}, {0, 5, 4}, {0, 8, 6}, {0, 0, 14}};
  for (int row = 1; row < 10; ++row) {
    compared.push_back({row, 0, 1});
    compared.push_back({row, row, 1});
  }
  const double half = 4.302652729911275 * 2 * std::sqrt(2.0 / 3 / 3);
  const auto others = estimate_importance(10, compared, false, false)[0];
  EXPECT_DOUBLE_EQ(others.importance, 4);
  EXPECT_NEAR(others.low, 4 - half, 1e-8);
  EXPECT_NEAR(others.high, 4 + half, 1e-8);
  EXPECT_EQ(others.pairs, 3);
  // The self pair is one known value of ten.
  const auto with_self = estimate_importance(10, compared, false, true)[0];
  EXPECT_DOUBLE_EQ(with_self.importance, 5);
  EXPECT_NEAR(with_self.high - with_self.low, 2 * half * 0.9, 1e-8);
}

TEST(SampledImportanceTest, CoversTheImportance95TimesIn100) {
  for (const bool symmetric : {true, false}) {
    const PairMatrix matrix = random_matrix(61, symmetric);
    const auto exact = importance(matrix, {}, true);
    int covered = 0;
    int rows = 0;
    double error = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const auto estimates =
          estimate_importance(61, compare(matrix, symmetric, true, seed, 12), symmetric, true);
      for (std::size_t i = 0; i < 61; ++i, ++rows) {
        covered += estimates[i].low <= exact[i] && exact[i] <= estimates[i].high ? 1 : 0;
        error += estimates[i].importance - exact[i];
      }
    }
    EXPECT_NEAR(static_cast<double>(covered) / rows, 0.95, 0.01);
    EXPECT_NEAR(error / rows, 0, 0.02);
  }
}

TEST(SampledImportanceTest, OfASymmetricMatrixUsesWhatOthersDrew) {
  const auto estimates =
      estimate_importance(4, {{0, 1, 1}, {0, 2, 2}, {0, 3, 3}, {2, 3, 6}}, true, false);
  EXPECT_EQ(estimates[0].pairs, 3);
  EXPECT_DOUBLE_EQ(estimates[0].importance, 2);
  EXPECT_EQ(estimates[2].pairs, 2);
  EXPECT_DOUBLE_EQ(estimates[2].importance, 4);
}

TEST(SampledImportanceTest, DoesNotDependOnTheOrderOfTheList) {
  auto compared = compare(random_matrix(20, true), true, true, 1, 5);
  const auto forward = importance_of(estimate_importance(20, compared, true, true));
  std::reverse(compared.begin(), compared.end());
  EXPECT_EQ(importance_of(estimate_importance(20, compared, true, true)), forward);
}

TEST(SampledImportanceTest, OfOnePairOfSeveralHasNoInterval) {
  const auto estimates =
      estimate_importance(3, {{0, 1, 5}, {1, 2, 6}, {2, 0, 7}}, false, false);
  EXPECT_DOUBLE_EQ(estimates[0].importance, 5);
  EXPECT_TRUE(std::isnan(estimates[0].low));
  const Sureness sureness = sureness_of(estimates, 2);
  EXPECT_EQ(sureness.could_leave, 2);
  EXPECT_EQ(sureness.could_enter, 1);
  EXPECT_TRUE(std::isnan(sureness.median_width));
}

TEST(SampledImportanceTest, RefusesAVolumeWithoutPairsAndAPairTwice) {
  EXPECT_THROW(estimate_importance(3, {{0, 1, 1}}, true, false), core::DataError);
  EXPECT_THROW(estimate_importance(2, {{0, 1, 1}, {0, 0, 1}}, true, true), core::DataError);
  EXPECT_THROW(estimate_importance(1, {}, true, false), core::DataError);
  EXPECT_EQ(estimate_importance(1, {{0, 0, 3}}, true, true)[0].high, 3);
  EXPECT_THROW(estimate_importance(2, {{0, 1, 1}, {1, 0, 1}}, true, false),
               std::invalid_argument);
  EXPECT_THROW(estimate_importance(2, {{0, 2, 1}}, false, false), std::invalid_argument);
}

TEST(SurenessTest, CountsWhoseIntervalsReachOverTheBorder) {
  // Chosen are 1 and 2; 3 is the first outside. 2 may leave; 3 may enter, 9 may not.
  const std::vector<ImportanceEstimate> estimates{
      {9, 8, 10, 5}, {1, 0, 2, 7}, {2, 0.5, 3.5, 6}, {3, 1.9, 4.1, 5}};
  const Sureness sureness = sureness_of(estimates, 2);
  EXPECT_EQ(sureness.could_leave, 1);
  EXPECT_EQ(sureness.could_enter, 1);
  EXPECT_EQ(sureness.fewest_pairs, 5);
  EXPECT_EQ(sureness.most_pairs, 7);
  EXPECT_DOUBLE_EQ(sureness.median_width, 2.1);
  EXPECT_DOUBLE_EQ(sureness.largest_width, 3);
  EXPECT_EQ(to_text(sureness, 2, "nat"),
            "5 to 7 pairs a volume, 95 % intervals of the importance 2.1 nat wide (median; at "
            "most 3); of the 2 of lowest importance 1 could leave and 1 others enter");
  EXPECT_EQ(sureness_of(estimates, 4).could_leave, 0);
}

TEST(SampledImportanceTableTest, HasTheIntervalsBesideThePlaces) {
  const auto table = importance_table({"a", "b"}, {{4, 3, 5, 2}, {1, 1, 1, 2}}, "nat", "/x");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(table.column("place").values),
            (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(std::get<core::Doubles>(table.column("importance_low").values),
            (std::vector<double>{3, 1}));
  EXPECT_EQ(std::get<core::Doubles>(table.column("importance_high").values),
            (std::vector<double>{5, 1}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(table.column("pairs").values),
            (std::vector<std::int64_t>{2, 2}));
}

}  // namespace
}  // namespace proxytune::selection
