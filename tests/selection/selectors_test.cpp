#include "proxytune/selection/selectors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/random.h"
#include "proxytune/selection/importance.h"

namespace proxytune::selection {
namespace {

using similarity::PairMatrix;
using Volumes = std::vector<int>;

/// Similarities in [0, 1), or whole numbers below `levels`, which have many ties.
PairMatrix random_matrix(int volumes, bool symmetric, std::uint64_t which, int levels = 0) {
  core::Random random(core::RandomKey{which});
  const auto n = static_cast<std::size_t>(volumes);
  std::vector<double> values(n * n);
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t column = 0; column < n; ++column) {
      const double draw = random.uniform();
      values[row * n + column] = symmetric && column < row ? values[column * n + row]
                                 : levels > 0              ? std::floor(draw * levels)
                                                           : draw;
    }
  return {volumes, volumes, values};
}

bool contains(const Volumes& volumes, int one) {
  return std::find(volumes.begin(), volumes.end(), one) != volumes.end();
}

double greatest_similarity(const PairMatrix& matrix, int row, const Volumes& chosen) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (const int column : chosen)
    greatest = std::max(greatest, matrix.at(row, column));
  return greatest;
}

/// f of the definition.
double representation(const PairMatrix& matrix, const Volumes& chosen) {
  double sum = 0;
  for (int row = 0; row < matrix.rows; ++row)
    sum += std::max(0.0, greatest_similarity(matrix, row, chosen));
  return sum;
}

/// The first volume outside `chosen` for which `score` is highest.
template <class Score>
int best_next(int volumes, const Volumes& chosen, const Score& score) {
  int best = -1;
  for (int volume = 0; volume < volumes; ++volume)
    if (!contains(chosen, volume) && (best < 0 || score(volume) > score(best)))
      best = volume;
  return best;
}

/// The best f of any set of so many volumes, by trying all.
double best_representation(const PairMatrix& matrix, int budget) {
  double best = 0;
  for (unsigned set = 0; set < 1U << matrix.rows; ++set) {
    Volumes chosen;
    for (int volume = 0; volume < matrix.rows; ++volume)
      if ((set >> volume & 1U) != 0)
        chosen.push_back(volume);
    if (static_cast<int>(chosen.size()) == budget)
      best = std::max(best, representation(matrix, chosen));
  }
  return best;
}

TEST(LeastSimilarTest, TakesTheLowestAndBreaksTiesByPosition) {
  EXPECT_EQ(least_similar({5, 1, 1, 1, 0}, 2), (Volumes{4, 1}));
  EXPECT_EQ(least_similar({5, 1, 1, 1, 0}, 4), (Volumes{4, 1, 2, 3}));
  EXPECT_EQ(least_similar({2, 2}, 2), (Volumes{0, 1}));
}

TEST(FarthestPointTest, IsTheDefinitionAtEveryStep) {
  for (std::uint64_t which = 0; which < 60; ++which) {
    const PairMatrix matrix = random_matrix(9, which % 2 == 0, which, which % 3 == 0 ? 4 : 0);
    const auto rated = importance(matrix, {}, true);
    const Volumes chosen = farthest_point(matrix, rated, 8);
    Volumes expected{order_of_importance(rated).front()};
    while (expected.size() < 8)
      expected.push_back(best_next(
          9, expected, [&](int v) { return -greatest_similarity(matrix, v, expected); }));
    EXPECT_EQ(chosen, expected) << which;
  }
}

TEST(FarthestPointTest, LeavesOutTheTwinThatTheLowestImportanceTakes) {
  // 0 and 1 are twins, unlike all others; 2 and 3 resemble each other a little.
  const PairMatrix matrix{4, 4, {9, 8, 0, 0, 8, 9, 0, 0, 0, 0, 9, 5, 0, 0, 5, 9}};
  const std::vector<double> rated{1, 2, 3, 4};
  EXPECT_EQ(least_similar(rated, 2), (Volumes{0, 1}));
  EXPECT_EQ(farthest_point(matrix, rated, 2), (Volumes{0, 2}));
}

TEST(FacilityLocationTest, IsTheDefinitionAtEveryStep) {
  for (std::uint64_t which = 0; which < 60; ++which) {
    // Whole numbers have exact sums, so that ties are ties in both.
    const PairMatrix matrix =
        random_matrix(9, which % 2 == 0, which, which % 3 == 0 ? 3 : 1000);
    Volumes expected;
    while (expected.size() < 8)
      expected.push_back(best_next(9, expected, [&](int v) {
        Volumes with = expected;
        with.push_back(v);
        return representation(matrix, with);
      }));
    EXPECT_EQ(facility_location(matrix, 8), expected) << which;
  }
}

TEST(FacilityLocationTest, ReachesItsShareOfTheBestSet) {
  for (std::uint64_t which = 0; which < 40; ++which) {
    const PairMatrix matrix = random_matrix(10, which % 2 == 0, which);
    for (const int budget : {2, 4, 6}) {
      const double best = best_representation(matrix, budget);
      const double reached = representation(matrix, facility_location(matrix, budget));
      EXPECT_GE(reached, (1 - 1 / std::numbers::e) * best) << which;
      EXPECT_LE(reached, best + 1e-12);
    }
  }
}

TEST(FacilityLocationTest, TakesOneOfEachCluster) {
  // Clusters {0, 1, 2} and {3, 4}.
  const PairMatrix matrix{
      5, 5, {9, 8, 8, 0, 0, 8, 9, 7, 0, 0, 8, 7, 9, 0, 0, 0, 0, 0, 9, 8, 0, 0, 0, 8, 9}};
  EXPECT_EQ(facility_location(matrix, 2), (Volumes{0, 3}));
}

TEST(FacilityLocationTest, CountsSimilaritiesBelowZeroFromTheLowest) {
  const PairMatrix matrix{3, 3, {1, -9, -9, -9, 2, -9, -9, -9, 3}};
  EXPECT_EQ(facility_location(matrix, 2), (Volumes{2, 1}));
  // Negative squared differences of the values 0, 1, 2 and 10, 11: one of each cluster.
  std::vector<double> differences;
  for (const int one : {0, 1, 2, 10, 11})
    for (const int other : {0, 1, 2, 10, 11})
      differences.push_back(-1.0 * (one - other) * (one - other));
  EXPECT_EQ(facility_location({5, 5, differences}, 2), (Volumes{2, 3}));
}

TEST(SelectorsTest, ReadTheRowOfAVolumeAndTheColumnOfAChosenOne) {
  // Rows 0 and 2 are like column 1, but row 1 is like no column.
  const PairMatrix matrix{4, 4, {1, 9, 0, 1, 0, 1, 0, 0, 0, 9, 1, 2, 0, 0, 0, 1}};
  EXPECT_EQ(facility_location(matrix, 2), (Volumes{1, 3}));
  EXPECT_EQ(farthest_point(matrix, {2, 1, 2, 2}, 2), (Volumes{1, 3}));
  EXPECT_EQ(farthest_point(matrix, {1, 2, 2, 2}, 2), (Volumes{0, 1}));
}

TEST(SelectorsTest, ChooseTheSameVolumesInWhateverOrderTheyLie) {
  const PairMatrix matrix = random_matrix(12, false, 5);
  const auto order = core::Random(core::RandomKey(6)).permutation(12);
  std::vector<double> values;
  for (const int row : order)
    for (const int column : order)
      values.push_back(matrix.at(row, column));
  const PairMatrix shuffled{12, 12, values};
  for (const Selector selector :
       {Selector::least_similar, Selector::farthest_point, Selector::facility_location}) {
    Volumes back;
    for (const int v : proxy_data(selector, shuffled, importance(shuffled, {}, true), 6))
      back.push_back(order[static_cast<std::size_t>(v)]);
    std::sort(back.begin(), back.end());
    EXPECT_EQ(back, proxy_data(selector, matrix, importance(matrix, {}, true), 6));
  }
}

TEST(SelectorsTest, ChooseAllUnderAFullBudgetAndBeginAlikeUnderASmallerOne) {
  const PairMatrix matrix = random_matrix(6, true, 1);
  const auto rated = importance(matrix, {}, true);
  for (const Selector selector :
       {Selector::least_similar, Selector::farthest_point, Selector::facility_location}) {
    EXPECT_EQ(proxy_data(selector, matrix, rated, 6), (Volumes{0, 1, 2, 3, 4, 5}));
    const Volumes four = proxy_data(selector, matrix, rated, 4);
    for (const int volume : proxy_data(selector, matrix, rated, 2))
      EXPECT_TRUE(contains(four, volume));
    EXPECT_THROW(proxy_data(selector, matrix, rated, 8), core::ConfigurationError);
    EXPECT_THROW(proxy_data(selector, matrix, rated, 3), core::ConfigurationError);
  }
}

}  // namespace
}  // namespace proxytune::selection
