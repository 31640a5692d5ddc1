#include "proxytune/core/random.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace proxytune::core {
namespace {

// Known answers of Random123's kat_vectors for philox4x32-10.
TEST(PhiloxTest, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
  EXPECT_EQ(philox4x32({0xffffffffU, 0xffffffffU, 0xffffffffU, 0xffffffffU},
                       {0xffffffffU, 0xffffffffU}),
            (std::array<std::uint32_t, 4>{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}));
}

TEST(RandomKeyTest, WordsNumbersAndOrderMatter) {
  const RandomKey key(7);
  EXPECT_NE(key.with("1").value(), key.with(1).value());
  EXPECT_NE(key.with("a").with("b").value(), key.with("b").with("a").value());
  EXPECT_NE(key.with(0).value(), key.value());
  EXPECT_NE(RandomKey(8).value(), key.value());
  EXPECT_EQ(key.with("crop").with(3).value(), RandomKey(7).with("crop").with(3).value());
}

TEST(RandomTest, UniformStaysInsideAndFillsTheInterval) {
  Random random(RandomKey(1));
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(RandomTest, NormalHasMeanZeroAndVarianceOne) {
  Random random(RandomKey(2));
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.02);
  EXPECT_NEAR(squares / 100000, 1, 0.03);
}

TEST(RandomTest, IndexIsUniformOverAnOddCount) {
  Random random(RandomKey(3));
  std::array<int, 3> counts{};
  for (int i = 0; i < 30000; ++i)
    ++counts.at(random.index(3));
  for (const int count : counts)
    EXPECT_NEAR(count, 10000, 400);
  EXPECT_EQ(random.index(1), 0U);
}

TEST(RandomTest, PermutationHoldsEveryPositionOnce) {
  for (const int count : {0, 1, 7}) {
    std::vector<int> order = Random(RandomKey(4)).permutation(count);
    std::sort(order.begin(), order.end());
    std::vector<int> expected(static_cast<std::size_t>(count));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

}  // namespace
}  // namespace proxytune::core
