#include "proxytune/trials/early_stop.h"

#include <limits>

#include <gtest/gtest.h>

namespace proxytune::trials {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::int64_t> validated{1, 3, 5};

TEST(EarlyStopTest, IsWhereTheSpecificationSaysAndNowhereElse) {
  EXPECT_EQ(stop_epoch({}, validated, {0, 0, 0}), std::nullopt);
  EXPECT_EQ(stop_epoch({.after = 4}, validated, {0, 0, 0}), 4);
  EXPECT_EQ(stop_epoch({.after = 4}, {1}, {0}), std::nullopt);
}

TEST(EarlyStopTest, IsAtTheFirstEpochWhoseBestDiceSoFarIsBelowItsThreshold) {
  const EarlyStop stop{.epochs = {4, 6}, .below = {0.5, 0.7}};
  EXPECT_EQ(stop_epoch(stop, validated, {0.1, 0.4, 0.9}), 4);
  EXPECT_EQ(stop_epoch(stop, validated, {0.1, 0.5, 0.6}), 6);
  EXPECT_EQ(stop_epoch(stop, validated, {0.1, 0.5, 0.7}), std::nullopt);
  // The best so far counts, not the last.
  EXPECT_EQ(stop_epoch(stop, validated, {0.8, 0.1, 0.1}), std::nullopt);
}

TEST(EarlyStopTest, IsNotForATrainingThatHasNoScoreYet) {
  const EarlyStop stop{.epochs = {2, 4}, .below = {0.5, 0.5}};
  EXPECT_EQ(stop_epoch(stop, validated, {nan, nan, 0.1}), std::nullopt);
  EXPECT_EQ(stop_epoch(stop, validated, {0.6, nan, nan}), std::nullopt);
}

}  // namespace
}  // namespace proxytune::trials
