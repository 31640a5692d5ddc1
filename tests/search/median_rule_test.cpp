#include "proxytune/search/median_rule.h"

#include <limits>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::search {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::int64_t> validated{1, 3, 5};

MedianRule rule_of(int from_epoch, int earlier_trials) {
  return MedianRule({.from_epoch = from_epoch, .earlier_trials = earlier_trials});
}

TEST(MedianRuleTest, AsksForTheMedianOfTheBestDiceSoFarAtEachEpoch) {
  MedianRule rule = rule_of(1, 3);
  rule.add(0, validated, {0.1, 0.5, 0.4});
  rule.add(1, validated, {0.2, 0.3, 0.6});
  EXPECT_FALSE(rule.stop_after(2).any());
  rule.add(2, validated, {0.3, 0.1, 0.8});
  EXPECT_EQ(rule.stop_after(3),
            (trials::EarlyStop{.epochs = {2, 4, 6}, .below = {0.2, 0.3, 0.6}}));
  // Between the two in the middle of an even number.
  rule.add(3, validated, {0.6, 0.6, 0.7});
  EXPECT_DOUBLE_EQ(rule.stop_after(4).below[0], 0.25);
}

TEST(MedianRuleTest, KnowsFixedTrialsWhateverElseHasArrived) {
  MedianRule rule = rule_of(1, 1);
  rule.add(2, validated, {0.9, 0.9, 0.9});
  EXPECT_FALSE(rule.stop_after(2).any());
  rule.add(1, validated, {0.2, 0.2, 0.2});
  rule.add(0, validated, {0.4, 0.4, 0.4});
  EXPECT_DOUBLE_EQ(rule.stop_after(2).below[0], 0.3);
  EXPECT_EQ(rule.stop_after(1).below[0], 0.4);
  // A trial that is told of twice is as it was first.
  rule.add(0, validated, {0.8, 0.8, 0.8});
  EXPECT_EQ(rule.stop_after(1).below[0], 0.4);
}

TEST(MedianRuleTest, LeavesEpochsOutThatAreTooEarlyOrThatTooFewTrialsHaveComeTo) {
  MedianRule rule = rule_of(4, 2);
  rule.add(0, validated, {0.5, 0.5, 0.5});
  rule.add(1, {1, 3}, {0.1, 0.1});  // was stopped there
  EXPECT_EQ(rule.stop_after(2).epochs, std::vector<std::int64_t>{4});
  rule.add(2, validated, {nan, nan, 0.7});  // has no score before its last epoch
  EXPECT_EQ(rule.stop_after(3), (trials::EarlyStop{.epochs = {4, 6}, .below = {0.3, 0.6}}));
}

TEST(MedianRuleTest, OptionsRefuseWhatCannotWorkByName) {
  for (const MedianStoppingOptions& options :
       {MedianStoppingOptions{.from_epoch = 0}, MedianStoppingOptions{.earlier_trials = 0}})
    EXPECT_THROW(validate(options), core::FieldError);
  EXPECT_NO_THROW(validate(MedianStoppingOptions{}));
}

}  // namespace
}  // namespace proxytune::search
