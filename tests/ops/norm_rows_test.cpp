#include "src/ops/norm_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

// Which registers a processor has must not show in the bits: what it computes equals plain
// loops over the lanes, one after the other.
namespace proxytune::ops {
namespace {

constexpr std::int64_t lanes = 16;
constexpr std::int64_t block_values = 256 * lanes;

std::vector<float> wave(const RowExtents& extents, double step) {
  std::vector<float> values(static_cast<std::size_t>(extents.rows * extents.pitch));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::sin(static_cast<double>(i) * step) + 0.1);
  return values;
}

struct LaneSums {
  float even[lanes] = {};
  float odd[lanes] = {};
  double total() const {
    double sum = 0;
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      sum += static_cast<double>(even[lane] + odd[lane]);
    return sum;
  }
};

/// Adds where norm_rows.cpp does: a pair of vectors in turn, a single whole one to the even
/// sums, a piece of one to the odd.
void add_row(const std::vector<float>& values,
             std::int64_t row,
             std::int64_t count,
             LaneSums& to) {
  for (std::int64_t x = 0; x < count; ++x) {
    const std::int64_t vector = x / lanes;
    const bool whole = (vector + 1) * lanes <= count;
    const bool even = whole && vector % 2 == 0;
    (even ? to.even : to.odd)[x % lanes] += values[static_cast<std::size_t>(row + x)];
  }
}

double blockwise(const RowExtents& extents, const std::vector<float>& values) {
  const std::int64_t step = std::max<std::int64_t>(1, block_values / extents.count);
  double result = 0;
  for (std::int64_t first = 0; first < extents.rows; first += step) {
    LaneSums sums;
    for (std::int64_t y = first; y < std::min(first + step, extents.rows); ++y)
      add_row(values, y * extents.pitch, extents.count, sums);
    result += sums.total();
  }
  return result;
}

// Shorter than a vector, one, one and a piece, two, three, several and a piece; several blocks.
const std::vector<RowExtents> shapes{{1, 1, 2},
                                     {3, 7, 8},
                                     {2, 16, 17},
                                     {5, 18, 19},
                                     {4, 32, 33},
                                     {96, 48, 49},
                                     {96, 96, 97},
                                     {7, 123, 124}};

TEST(NormRowsTest, SumsGoLaneByLaneWhateverTheRegisters) {
  for (const RowExtents& extents : shapes) {
    SCOPED_TRACE(extents.count);
    const std::vector<float> values = wave(extents, 0.77);
    EXPECT_EQ(sum_of(extents, values.data()), blockwise(extents, values));
  }
}

TEST(NormRowsTest, ActivatesInPlaceOrElsewhereAlike) {
  const ChannelNorm norm{.mean = 0.2F, .scale = 1.7F, .slope = 0.25F};
  for (const RowExtents& extents : shapes) {
    SCOPED_TRACE(extents.count);
    const std::vector<float> values = wave(extents, 0.77);
    std::vector<float> in_place = values;
    std::vector<float> elsewhere(values.size(), 7);
    activate(extents, norm, in_place.data(), in_place.data());
    activate(extents, norm, values.data(), elsewhere.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool between = static_cast<std::int64_t>(i) % extents.pitch >= extents.count;
      const float normal = (values[i] - norm.mean) * norm.scale;
      const float active = normal > 0 ? normal : norm.slope * normal;
      EXPECT_EQ(in_place[i], between ? values[i] : active);
      EXPECT_EQ(elsewhere[i], between ? 7 : active);
    }
  }
}

TEST(NormRowsTest, GradientsAndTheirSumsGoLaneByLaneWhateverTheRegisters) {
  const ChannelNorm norm{.mean = 0.2F, .scale = 1.7F, .slope = -0.25F};
  for (const RowExtents& extents : shapes) {
    SCOPED_TRACE(extents.count);
    const std::vector<float> values = wave(extents, 0.77);
    const std::vector<float> after = wave(extents, 0.53);
    std::vector<float> before = after;
    std::vector<float> weighted(after.size());
    std::vector<float> of_slope(after.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (static_cast<std::int64_t>(i) % extents.pitch >= extents.count)
        continue;  // what lies between the rows stays
      const float normal = (values[i] - norm.mean) * norm.scale;
      before[i] = normal > 0 ? after[i] : norm.slope * after[i];
      weighted[i] = before[i] * normal;
      of_slope[i] = after[i] * (normal > 0 ? 0 : normal);
    }
    std::vector<float> gradients = after;
    ChannelGradient sums;
    pass_activation(extents, norm, values.data(), gradients.data(), sums);
    EXPECT_EQ(gradients, before);
    EXPECT_EQ(sums.plain, blockwise(extents, before));
    EXPECT_EQ(sums.weighted, blockwise(extents, weighted));
    EXPECT_EQ(sums.slope, blockwise(extents, of_slope));
  }
}

TEST(NormRowsTest, MomentsStayExactFarFromZero) {
  for (const RowExtents& extents : shapes) {
    SCOPED_TRACE(extents.count);
    std::vector<float> values = wave(extents, 0.77);
    for (float& value : values)
      value += 1000;
    ChannelMoments moments;
    add_moments(extents, values.data(), moments);
    double mean = 0;
    double squares = 0;
    const auto count = static_cast<double>(extents.rows * extents.count);
    const auto each = [&](const auto& call) {
      for (std::int64_t y = 0; y < extents.rows; ++y)
        for (std::int64_t x = 0; x < extents.count; ++x)
          call(static_cast<double>(values[static_cast<std::size_t>(y * extents.pitch + x)]));
    };
    each([&](double value) { mean += value / count; });
    each([&](double value) { squares += (value - mean) * (value - mean); });
    EXPECT_EQ(moments.count, count);
    EXPECT_NEAR(moments.mean, mean, 1e-6);
    EXPECT_NEAR(moments.squares, squares, 1e-4 * squares + 1e-6);
  }
}

}  // namespace
}  // namespace proxytune::ops
