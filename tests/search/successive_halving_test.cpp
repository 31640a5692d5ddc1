#include "proxytune/search/successive_halving.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "proxytune/core/random.h"

namespace proxytune::search {
namespace {

using Verdict = SuccessiveHalving::Verdict;
using Score = std::optional<double>;

HalvingOptions with(int rungs, int reduction) {
  HalvingOptions options{.reduction = reduction};
  for (int rung = 0; rung < rungs; ++rung)
    options.rungs.push_back({.epochs = rung + 1});
  return options;
}

TEST(SuccessiveHalvingTest, LetsTheBestOfABracketGoOnOnceAllOfItHaveReported) {
  SuccessiveHalving halving(with(1, 2), 8);  // brackets of two
  EXPECT_TRUE(halving.report(3, 0, 0.5).empty());
  EXPECT_TRUE(halving.report(0, 0, 0.1).empty());
  EXPECT_EQ(halving.report(2, 0, 0.6), (std::vector<Verdict>{{2, true}, {3, false}}));
  EXPECT_EQ(halving.report(1, 0, 0.0), (std::vector<Verdict>{{0, true}, {1, false}}));
  // Its end is a trial's last rung: nobody is waited for.
  EXPECT_EQ(halving.report(2, 1, 0.7), (std::vector<Verdict>{{2, false}}));
}

TEST(SuccessiveHalvingTest, PutsTheEarlierOfEqualsFirstAndFailuresLast) {
  SuccessiveHalving halving(with(1, 3), 6);
  halving.report(0, 0, std::nullopt);
  halving.report(2, 0, 0.4);
  EXPECT_EQ(halving.report(1, 0, 0.4),
            (std::vector<Verdict>{{0, false}, {1, true}, {2, false}}));
  // A failure does not go on, though nobody else does either.
  for (const int trial : {3, 4})
    halving.report(trial, 0, std::nullopt);
  EXPECT_EQ(halving.report(5, 0, std::nullopt),
            (std::vector<Verdict>{{3, false}, {4, false}, {5, false}}));
}

TEST(SuccessiveHalvingTest, TakesAReportOnce) {
  SuccessiveHalving halving(with(1, 2), 2);
  halving.report(0, 0, 0.3);
  EXPECT_TRUE(halving.report(0, 0, 0.9).empty());
  EXPECT_EQ(halving.report(1, 0, 0.5), (std::vector<Verdict>{{0, false}, {1, true}}));
}

TEST(SuccessiveHalvingTest, ExpectsOfAStoppedTrialWhatThoseThatWentOnGained) {
  using Bracket = SuccessiveHalving::Bracket;
  SuccessiveHalving halving(with(2, 2), 6);
  for (int trial = 0; trial < 4; ++trial)
    halving.report(trial, 0, 0.1 * (trial + 1));  // 2 and 3 go on, to 0.15 more in the mean
  halving.report(2, 1, 0.5);                      // goes on to 0.1 more
  halving.report(3, 1, 0.5);
  EXPECT_EQ(halving.settled(0), std::nullopt);
  halving.report(2, 2, 0.6);
  for (int trial = 0; trial < 4; ++trial)
    EXPECT_EQ(halving.settled(trial), (Bracket{.first = 0, .last = 4}));
  EXPECT_DOUBLE_EQ(halving.expected_at_the_end(0).value(), 0.35);
  EXPECT_DOUBLE_EQ(halving.expected_at_the_end(1).value(), 0.45);
  EXPECT_EQ(halving.expected_at_the_end(2), 0.6);
  EXPECT_DOUBLE_EQ(halving.expected_at_the_end(3).value(), 0.6);
  // Two are left over. Failures are expected to come to nothing, and of a bracket of which
  // nobody went on there is nothing to add.
  EXPECT_EQ(halving.settled(4), std::nullopt);
  halving.report(4, 0, 0.3);
  halving.report(5, 0, 0.4);
  halving.report(5, 1, std::nullopt);
  EXPECT_EQ(halving.settled(4), (Bracket{.first = 4, .last = 6}));
  EXPECT_EQ(halving.expected_at_the_end(4), 0.3);
  EXPECT_EQ(halving.expected_at_the_end(5), std::nullopt);
}

TEST(SuccessiveHalvingTest, ExpectsOfNoStoppedTrialMoreThanOfThoseThatWentOn) {
  SuccessiveHalving halving(with(1, 2), 4);  // brackets of two
  halving.report(0, 0, 0.10);
  halving.report(1, 0, 0.11);
  halving.report(1, 1, 0.5);
  EXPECT_DOUBLE_EQ(halving.expected_at_the_end(0).value(), 0.10 + 0.39);
  SuccessiveHalving steep(with(2, 2), 4);
  const double at_first[] = {0.1, 0.2, 0.3, 0.4};
  for (int trial = 0; trial < 4; ++trial)
    steep.report(trial, 0, at_first[trial]);
  steep.report(2, 1, 0.9);  // gains 0.6
  steep.report(3, 1, 0.5);  // gains 0.1, and stops
  steep.report(2, 2, 0.9);
  EXPECT_DOUBLE_EQ(steep.expected_at_the_end(0).value(), 0.45);
  EXPECT_DOUBLE_EQ(steep.expected_at_the_end(1).value(), 0.5);  // not 0.55
}

TEST(SuccessiveHalvingTest, GivesATrialThatIsProposedAgainNobodysPlace) {
  SuccessiveHalving halving(with(1, 2), 4);
  halving.same_as(1, 0);
  halving.same_as(3, 2);
  halving.report(0, 0, 0.9);
  EXPECT_EQ(halving.report(1, 0, 0.9), (std::vector<Verdict>{{0, true}, {1, true}}));
  halving.report(2, 0, std::nullopt);
  EXPECT_EQ(halving.report(3, 0, std::nullopt), (std::vector<Verdict>{{2, false}, {3, false}}));
  EXPECT_EQ(halving.settled(2), (SuccessiveHalving::Bracket{.first = 2, .last = 4}));
  EXPECT_EQ(halving.settled(0), std::nullopt);
  halving.report(0, 1, 0.95);
  halving.report(1, 1, 0.95);
  EXPECT_EQ(halving.settled(0), (SuccessiveHalving::Bracket{.first = 0, .last = 2}));
  SuccessiveHalving four(with(2, 2), 4);
  four.same_as(2, 1);
  four.report(0, 0, 0.1);
  four.report(1, 0, 0.3);
  four.report(2, 0, 0.3);
  // Of three different ones one goes on.
  EXPECT_EQ(four.report(3, 0, 0.2),
            (std::vector<Verdict>{{0, false}, {1, true}, {2, true}, {3, false}}));
}

TEST(SuccessiveHalvingTest, WithoutRungsSettlesEachTrialByItself) {
  SuccessiveHalving halving(with(0, 2), 3);
  EXPECT_EQ(halving.report(1, 0, 0.3), (std::vector<Verdict>{{1, false}}));
  EXPECT_EQ(halving.settled(1), (SuccessiveHalving::Bracket{.first = 1, .last = 2}));
  EXPECT_EQ(halving.settled(0), std::nullopt);
  EXPECT_EQ(halving.expected_at_the_end(1), 0.3);
  EXPECT_EQ(halving.pieces(), 3);
}

/// Runs all trials in an order drawn from `seed`, each with a score of its own at each rung;
/// gives the rung where each ended.
std::map<int, int> run(int rungs, int reduction, int trials, std::uint64_t seed, int* pieces) {
  SuccessiveHalving halving(with(rungs, reduction), trials);
  core::Random random{core::RandomKey(seed)};
  std::deque<std::pair<int, int>> open;
  std::map<int, int> ended;
  for (int trial = 0; trial < trials; ++trial)
    open.emplace_back(trial, 0);
  *pieces = 0;
  while (!open.empty()) {
    const auto which = static_cast<std::ptrdiff_t>(random.index(open.size()));
    const auto [trial, rung] = open[static_cast<std::size_t>(which)];
    open.erase(open.begin() + which);
    ++*pieces;
    const Score score = trial % 7 == 5 ? Score() : std::sin(3.0 * trial + rung);
    for (const auto& [one, goes_on] : halving.report(trial, rung, score)) {
      if (goes_on)
        open.emplace_back(one, rung + 1);
      else
        ended[one] = rung;
    }
  }
  return ended;
}

TEST(SuccessiveHalvingTest, SettlesTheSameWhateverTheOrderOfReports) {
  for (const int reduction : {2, 3})
    for (const int trials : {1, 7, 8, 27, 30, 50}) {
      int pieces = 0;
      const auto expected = run(2, reduction, trials, 0, &pieces);
      EXPECT_EQ(std::ssize(expected), trials);
      for (std::uint64_t seed = 1; seed < 10; ++seed)
        EXPECT_EQ(run(2, reduction, trials, seed, &pieces), expected);
      EXPECT_EQ(pieces, SuccessiveHalving(with(2, reduction), trials).pieces());
      EXPECT_EQ(std::any_of(expected.begin(),
                            expected.end(),
                            [](const auto& end) { return end.second == 2; }),
                true);
    }
}

TEST(SuccessiveHalvingTest, OfTwoRungsAndFactorThreeTrainsNineTrialsAsThirteenPieces) {
  EXPECT_EQ(SuccessiveHalving(with(2, 3), 9).pieces(), 13);
  // Of what is left over too, one trial comes to its end.
  EXPECT_EQ(SuccessiveHalving(with(2, 3), 10).pieces(), 16);
}

}  // namespace
}  // namespace proxytune::search
