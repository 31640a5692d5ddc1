#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "proxytune/search/sequence.h"

namespace proxytune::search {
namespace {

using Point = std::vector<double>;

SearchOptions bayesian(int trials, int concurrency) {
  SearchOptions options{
      .method = Method::bayesian, .trials = trials, .concurrency = concurrency};
  options.space.push_back({.field = "optimizer", .choices = {"adam", "rmsprop", "novograd"}});
  return options;
}

/// Top at (0.7, 0.2) with the third choice.
double value(const Point& point) {
  return 0.8 - 0.3 * std::pow(point[0] - 0.7, 2) - 0.1 * std::pow(point[1] - 0.2, 2) -
         0.02 * (2 - choice_at(point[2], 3));
}

/// The mean value of the last ten of 40 proposals.
double late_value(const SearchOptions& options, std::uint64_t seed) {
  Sequence sequence(options, {options.space}, core::RandomKey(seed));
  core::Random noise(core::RandomKey(seed).with("noise"));
  std::vector<Point> points;
  double sum = 0;
  while (sequence.proposed() < sequence.total()) {
    while (sequence.may_propose())
      points.push_back(sequence.propose());
    for (int k = 0; k < sequence.proposed(); ++k)
      sequence.report(k, value(points[static_cast<std::size_t>(k)]) + 0.005 * noise.normal());
  }
  for (auto point = points.end() - 10; point != points.end(); ++point)
    sum += value(*point) / 10;
  return sum;
}

TEST(BayesianTest, ComesToTheTopAlsoWhereManyTrialsAreOpen) {
  SearchOptions random = bayesian(40, 1);
  random.method = Method::random;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    EXPECT_GT(late_value(bayesian(40, 1), seed), 0.78);
    EXPECT_GT(late_value(bayesian(40, 8), seed), 0.77);
    EXPECT_LT(late_value(random, seed), 0.77);
  }
}

TEST(BayesianTest, ProposesDifferentPointsForTrialsThatAreOpenTogether) {
  const SearchOptions options = bayesian(40, 10);
  Sequence sequence(options, {options.space}, core::RandomKey(2));
  std::vector<Point> points;
  for (int k = 0; k < 20; ++k) {
    while (sequence.may_propose())
      points.push_back(sequence.propose());
    sequence.report(k, value(points[static_cast<std::size_t>(k)]));
  }
  while (sequence.may_propose())
    points.push_back(sequence.propose());
  EXPECT_EQ(std::set<Point>(points.end() - 10, points.end()).size(), 10U);
}

TEST(BayesianTest, SurvivesEqualRewardsAndManyFailures) {
  const SearchOptions options = bayesian(30, 1);
  Sequence equal(options, {options.space}, core::RandomKey(9));
  Sequence failing(options, {options.space}, core::RandomKey(9));
  int late_failures = 0;
  for (int k = 0; k < 30; ++k) {
    equal.propose();
    equal.report(k, 0.5);
    // Half of the range diverges.
    const Point point = failing.propose();
    const bool failed = point[0] > 0.5;
    failing.report(k, failed ? 0 : 0.8 + 0.05 * point[0]);
    late_failures += static_cast<int>(k >= 15 && failed);
  }
  EXPECT_LE(late_failures, 7);
  EXPECT_TRUE(equal.policy_mean().has_value());
}

TEST(BayesianTest, LearnsFromPointsThatItDidNotPropose) {
  SearchOptions options = bayesian(12, 1);
  const Point top{0.7, 0.2, unit_of_choice(2, 3)};
  options.first_points = {top, {0.1, 0.9, unit_of_choice(0, 3)}};
  const auto warm = make_controller(options, {options.space}, core::RandomKey(5));
  Point last;
  for (int k = 0; k < 12; ++k) {
    const std::string before = warm->state_hash();
    last = warm->propose(k);
    warm->report(k, value(last));
    EXPECT_NE(warm->state_hash(), before);
  }
  // Its own first proposals are spread out; the best place that it knows is the one it was
  // told.
  ASSERT_TRUE(warm->policy_mean().has_value());
  EXPECT_NEAR((*warm->policy_mean())[0], top[0], 0.15);
  EXPECT_EQ(choice_at((*warm->policy_mean())[2], 3), 2);
  EXPECT_GT(value(last), 0.75);
}

TEST(BayesianTest, ContentOfItsStateIsWhatItHasSeen) {
  const SearchOptions options = bayesian(12, 1);
  const auto one = make_controller(options, {options.space}, core::RandomKey(5));
  const auto other = make_controller(options, {options.space}, core::RandomKey(5));
  for (int k = 0; k < 12; ++k) {
    const Point point = one->propose(k);
    EXPECT_EQ(point, other->propose(k));
    one->report(k, value(point));
    EXPECT_NE(one->state_hash(), other->state_hash());
    other->report(k, value(point));
    EXPECT_EQ(one->state_hash(), other->state_hash());
  }
}

}  // namespace
}  // namespace proxytune::search
