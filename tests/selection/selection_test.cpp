#include "proxytune/selection/selection.h"

#include <set>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::selection {
namespace {

TEST(BudgetTest, MustBeEvenAtLeastTwoAndNoMoreThanThereAreVolumes) {
  for (const int budget : {-2, 0, 1, 3, 9})
    EXPECT_THROW(check_budget(budget, 10), core::ConfigurationError);
  EXPECT_THROW(check_budget(12, 10), core::ConfigurationError);
  EXPECT_NO_THROW(check_budget(10, 10));
  try {
    check_budget(3, 10);
  } catch (const core::ConfigurationError& error) {
    EXPECT_NE(std::string(error.what()).find("needs an even budget of at least 2"),
              std::string::npos);
  }
}

TEST(SplitInHalfTest, GivesEveryCaseOnceHalfToEachUse) {
  const std::vector<int> cases{3, 8, 1, 9, 4, 7};
  const auto split = split_in_half(cases, core::RandomKey(1));
  EXPECT_EQ(split.training.size(), 3U);
  EXPECT_EQ(split.validation.size(), 3U);
  std::set<int> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all, std::set<int>(cases.begin(), cases.end()));
}

TEST(SplitInHalfTest, DependsOnTheKeyAndNotOnTheOrderOfCases) {
  const std::vector<int> cases{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<int> reversed(cases.rbegin(), cases.rend());
  const core::RandomKey key(1);
  EXPECT_EQ(split_in_half(cases, key.with(0)), split_in_half(reversed, key.with(0)));
  std::set<std::vector<int>> different;
  for (std::uint64_t repeat = 0; repeat < 7; ++repeat)
    different.insert(split_in_half(cases, key.with(repeat)).training);
  EXPECT_GT(different.size(), 4U);
}

TEST(SplitInHalfTest, RefusesAnOddNumber) {
  EXPECT_THROW(split_in_half({1, 2, 3}, core::RandomKey(1)), core::ConfigurationError);
  EXPECT_THROW(split_in_half({}, core::RandomKey(1)), core::ConfigurationError);
}

TEST(RandomBaselineTest, DrawsDistinctVolumesAnewForEachKeyAndAllAlikeOften) {
  std::vector<int> drawn(12, 0);
  for (std::uint64_t repeat = 0; repeat < 600; ++repeat) {
    const auto cases = random_baseline(12, 4, core::RandomKey(7).with(repeat));
    EXPECT_EQ(std::set(cases.begin(), cases.end()).size(), 4U);
    for (const int volume : cases)
      ++drawn[static_cast<std::size_t>(volume)];
  }
  for (const int times : drawn)
    EXPECT_NEAR(times, 200, 60);  // 200 expected, deviation 11.5
  EXPECT_EQ(random_baseline(12, 12, core::RandomKey(1)).size(), 12U);
}

TEST(SelectionTableTest, SaysWhoTrainsAndWhoValidates) {
  const auto chosen =
      selection_table({{"proxy", 1, {{2}, {0}}}}, {"a", "b", "c"}, "/select/cases");
  core::validate(chosen);
  EXPECT_EQ(std::get<std::vector<std::string>>(chosen.column("case").values),
            (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(std::get<std::vector<std::string>>(chosen.column("use").values),
            (std::vector<std::string>{"training", "validation"}));
}

}  // namespace
}  // namespace proxytune::selection
