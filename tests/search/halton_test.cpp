#include "src/search/halton.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace proxytune::search {
namespace {

TEST(HaltonTest, VisitsEveryIntervalOfEachBaseOnceARound) {
  const Halton halton(4, core::RandomKey(5));
  const int bases[] = {2, 3, 5, 7};
  for (std::size_t i = 0; i < 4; ++i)
    for (int round = 0; round < 3; ++round) {
      const int intervals = bases[i] * bases[i];
      std::set<int> visited;
      for (int n = 0; n < intervals; ++n)
        visited.insert(
            static_cast<int>(halton.point(round * intervals + n)[i] * intervals + 1e-9));
      EXPECT_EQ(static_cast<int>(visited.size()), intervals);
    }
}

TEST(HaltonTest, IsScrambledAnewByEachKey) {
  const Halton one(3, core::RandomKey(1));
  const Halton same(3, core::RandomKey(1));
  const Halton other(3, core::RandomKey(2));
  EXPECT_EQ(one.point(17), same.point(17));
  EXPECT_NE(one.point(17), other.point(17));
}

// The mean of a product over the cube, exact value 1, which random points miss by
// sqrt((4/3)^3 - 1) / sqrt(200) = 1.17 / sqrt(200).
TEST(HaltonTest, IntegratesMoreExactlyThanRandomPoints) {
  double squared_error = 0;
  for (std::uint64_t key = 0; key < 20; ++key) {
    const Halton halton(3, core::RandomKey(key));
    double sum = 0;
    for (int n = 0; n < 200; ++n) {
      const auto point = halton.point(n);
      for (const double unit : point) {
        EXPECT_GE(unit, 0);
        EXPECT_LT(unit, 1);
      }
      sum += 8 * point[0] * point[1] * point[2] / 200;
    }
    squared_error += (sum - 1) * (sum - 1) / 20;
  }
  EXPECT_LT(std::sqrt(squared_error), 0.3 * 1.17 / std::sqrt(200.0));
}

}  // namespace
}  // namespace proxytune::search
