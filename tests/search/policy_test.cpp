#include "src/search/policy.h"

#include <cmath>

#include <gtest/gtest.h>

namespace proxytune::search {
namespace {

const std::vector<int> dimensions{0, 3, 0};  // range, three choices, range
const Context look_back{{0.2, 1, -0.7}, -1.5};

/// A policy whose heads are not zero.
Policy some_policy(int hidden) {
  Policy policy(dimensions, hidden, 0.3, core::RandomKey(7));
  core::Random random(core::RandomKey(8));
  for (double& parameter : policy.parameters())
    parameter += 0.2 * random.normal();
  return policy;
}

TEST(PolicyTest, StartsCentredAndUniformWhateverItLooksBackOn) {
  const Policy policy(dimensions, 32, 0.3, core::RandomKey(1));
  EXPECT_EQ(policy.mode({}), (Action{0, 0, 0}));
  EXPECT_EQ(policy.mode(look_back), (Action{0, 0, 0}));
  const double density = -std::log(0.3 * std::sqrt(2 * M_PI));
  EXPECT_NEAR(
      policy.score(look_back, {0, 2, 0}).log_probability, 2 * density - std::log(3), 1e-12);
  EXPECT_NEAR(policy.score(look_back, {0.3, 2, 0}).log_probability,
              2 * density - 0.5 - std::log(3),
              1e-12);
  EXPECT_NEAR(policy.score({}, {0, 2, 0}).entropy, 1 - 2 * density + std::log(3), 1e-12);
}

TEST(PolicyTest, GradientsAreThoseOfFiniteDifferences) {
  Policy policy = some_policy(3);
  const Action action{-0.4, 2, 0.9};
  const Policy::Score score = policy.score(look_back, action);
  EXPECT_EQ(score.log_probability, policy.log_probability(look_back, action));
  ASSERT_EQ(score.log_probability_gradient.size(), policy.parameters().size());
  const double h = 1e-6;
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    double& parameter = policy.parameters()[i];
    const double kept = parameter;
    parameter = kept + h;
    const Policy::Score above = policy.score(look_back, action);
    parameter = kept - h;
    const Policy::Score below = policy.score(look_back, action);
    parameter = kept;
    EXPECT_NEAR(score.log_probability_gradient[i],
                (above.log_probability - below.log_probability) / (2 * h),
                1e-7)
        << i;
    EXPECT_NEAR(score.entropy_gradient[i], (above.entropy - below.entropy) / (2 * h), 1e-7)
        << i;
  }
}

TEST(PolicyTest, SamplesItsOwnDistribution) {
  const Policy policy(dimensions, 8, 0.3, core::RandomKey(1));
  core::Random random(core::RandomKey(2));
  const int draws = 2000;
  double sum = 0, squares = 0;
  std::vector<int> counts(3, 0);
  for (int i = 0; i < draws; ++i) {
    const Action action = policy.sample(look_back, random);
    sum += action[0];
    squares += action[0] * action[0];
    ++counts.at(static_cast<std::size_t>(action[1]));
  }
  EXPECT_NEAR(sum / draws, 0, 4 * 0.3 / std::sqrt(draws));
  EXPECT_NEAR(std::sqrt(squares / draws), 0.3, 0.02);
  for (const int count : counts)
    EXPECT_NEAR(count, draws / 3.0, 4 * std::sqrt(draws * 2.0 / 9));
}

TEST(PolicyTest, LooksBackOnceItHasLearnt) {
  const Policy policy = some_policy(8);
  EXPECT_NE(policy.mode({}), policy.mode(look_back));
  EXPECT_EQ(policy.mode(look_back), policy.mode(look_back));
}

}  // namespace
}  // namespace proxytune::search
