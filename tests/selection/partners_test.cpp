#include "proxytune/selection/partners.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

namespace proxytune::selection {
namespace {

using Partners = std::vector<std::vector<int>>;

std::vector<std::string> content_keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i)
    keys.push_back("volume " + std::to_string(i));
  return keys;
}

TEST(PartnersTest, AreSoManyDistinctOthersAscending) {
  const Partners partners = draw_partners(content_keys(20), core::RandomKey(1), 6);
  ASSERT_EQ(partners.size(), 20U);
  for (int volume = 0; volume < 20; ++volume) {
    const auto& mine = partners[static_cast<std::size_t>(volume)];
    EXPECT_EQ(mine.size(), 6U);
    EXPECT_EQ(std::set(mine.begin(), mine.end()).size(), 6U);
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    EXPECT_EQ(std::count(mine.begin(), mine.end(), volume), 0);
  }
}

TEST(PartnersTest, NeverChange) {
  EXPECT_EQ(draw_partners(content_keys(6), core::RandomKey(0), 2),
            (Partners{{4, 5}, {2, 4}, {0, 3}, {2, 5}, {0, 1}, {2, 3}}));
}

TEST(PartnersTest, AreAllOthersWhereThereAreNoMore) {
  EXPECT_EQ(draw_partners(content_keys(3), core::RandomKey(1), 2),
            (Partners{{1, 2}, {0, 2}, {0, 1}}));
  EXPECT_EQ(draw_partners(content_keys(3), core::RandomKey(1), 9),
            (Partners{{1, 2}, {0, 2}, {0, 1}}));
  EXPECT_EQ(draw_partners(content_keys(1), core::RandomKey(1), 9), Partners{{}});
  EXPECT_EQ(draw_partners(content_keys(2), core::RandomKey(1), 0), (Partners{{}, {}}));
  EXPECT_EQ(draw_partners({}, core::RandomKey(1), 3), Partners{});
}

TEST(PartnersTest, DependOnContentAndSeedAndNotOnTheOrder) {
  const auto keys = content_keys(30);
  const std::vector<std::string> reversed(keys.rbegin(), keys.rend());
  const Partners forward = draw_partners(keys, core::RandomKey(1), 8);
  Partners backward = draw_partners(reversed, core::RandomKey(1), 8);
  std::reverse(backward.begin(), backward.end());
  for (auto& mine : backward) {
    for (int& partner : mine)
      partner = 29 - partner;
    std::sort(mine.begin(), mine.end());
  }
  EXPECT_EQ(forward, backward);
  EXPECT_NE(forward, draw_partners(keys, core::RandomKey(2), 8));
}

TEST(PartnersTest, OfAGrownSetAreMostlyTheOldOnes) {
  const Partners before = draw_partners(content_keys(40), core::RandomKey(3), 10);
  const Partners after = draw_partners(content_keys(41), core::RandomKey(3), 10);
  for (std::size_t volume = 0; volume < 40; ++volume) {
    std::vector<int> kept;
    std::set_intersection(before[volume].begin(),
                          before[volume].end(),
                          after[volume].begin(),
                          after[volume].end(),
                          std::back_inserter(kept));
    EXPECT_GE(kept.size(), 9U);
  }
}

TEST(PartnersTest, AreDrawnAlikeOftenEachAndInPairs) {
  std::map<std::pair<int, int>, int> together;  // of volume 0's partners
  std::vector<int> drawn(8, 0);
  for (std::uint64_t seed = 0; seed < 7000; ++seed) {
    const Partners partners = draw_partners(content_keys(8), core::RandomKey(seed), 3);
    for (const int one : partners[0]) {
      ++drawn[static_cast<std::size_t>(one)];
      for (const int other : partners[0])
        if (one < other)
          ++together[{one, other}];
    }
  }
  for (std::size_t volume = 1; volume < 8; ++volume)
    EXPECT_NEAR(drawn[volume], 3000, 170);  // deviation 41
  EXPECT_EQ(together.size(), 21U);
  for (const auto& [pair, times] : together)
    EXPECT_NEAR(times, 1000, 120);  // deviation 29
}

TEST(PartnersTest, RefuseEqualContentAndNegativeCounts) {
  EXPECT_THROW(draw_partners({"a", "a"}, core::RandomKey(1), 1), std::invalid_argument);
  EXPECT_THROW(draw_partners({"a", "b"}, core::RandomKey(1), -1), std::invalid_argument);
}

TEST(SampledPairsTest, ServeBothVolumesOfASymmetricMatrix) {
  const Partners partners{{1, 2}, {0}, {3}, {0}};
  using Pairs = std::vector<similarity::Cell>;
  EXPECT_EQ(sampled_pairs(partners, true, false), (Pairs{{0, 1}, {0, 2}, {0, 3}, {2, 3}}));
  EXPECT_EQ(sampled_pairs(partners, false, false),
            (Pairs{{0, 1}, {0, 2}, {1, 0}, {2, 3}, {3, 0}}));
  EXPECT_EQ(sampled_pairs({{1}, {}}, true, true), (Pairs{{0, 0}, {0, 1}, {1, 1}}));
}

}  // namespace
}  // namespace proxytune::selection
