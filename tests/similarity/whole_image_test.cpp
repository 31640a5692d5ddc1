#include "proxytune/similarity/whole_image.h"

#include <cmath>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

using imaging::view;

double compare(Measure& measure, const imaging::Volume& one, const imaging::Volume& other) {
  return measure.compare(*measure.prepare(view(one)), *measure.prepare(view(other)));
}

double mean(const imaging::Volume& volume) {
  double sum = 0;
  for (const float value : volume.voxels)
    sum += value;
  return sum / static_cast<double>(volume.voxels.size());
}

double pearson(const imaging::Volume& one, const imaging::Volume& other) {
  double cross = 0;
  double squares_one = 0;
  double squares_other = 0;
  for (std::size_t v = 0; v < one.voxels.size(); ++v) {
    const double a = one.voxels[v] - mean(one);
    const double b = other.voxels[v] - mean(other);
    cross += a * b;
    squares_one += a * a;
    squares_other += b * b;
  }
  return cross / std::sqrt(squares_one * squares_other);
}

TEST(GlobalCrossCorrelationTest, EqualsPearsons) {
  GlobalCrossCorrelation measure;
  const auto one = test::texture(1);
  auto other = test::blend(one, test::texture(2));
  EXPECT_NEAR(compare(measure, one, other), pearson(one, other), 1e-7);
  const double before = compare(measure, one, other);
  for (float& value : other.voxels)
    value = 3 - 2 * value;
  EXPECT_NEAR(compare(measure, one, other), -before, 1e-6);
}

TEST(GlobalCrossCorrelationTest, WithAConstantImageIsZero) {
  GlobalCrossCorrelation measure;
  EXPECT_EQ(compare(measure, test::filled({5, 5, 5}, 0.1F), test::texture(1, {5, 5, 5})), 0.0);
}

TEST(MeanSquaredDifferenceTest, EqualsTheTextbookAndRanksTheSameHighest) {
  MeanSquaredDifference measure;
  const auto one = test::texture(1);
  const auto other = test::texture(2);
  double expected = 0;
  for (std::size_t v = 0; v < one.voxels.size(); ++v)
    expected -= std::pow(static_cast<double>(one.voxels[v]) - other.voxels[v], 2);
  expected /= static_cast<double>(one.voxels.size());
  EXPECT_NEAR(compare(measure, one, other), expected, 1e-12);
  EXPECT_EQ(compare(measure, one, one), 0.0);
  EXPECT_LT(compare(measure, one, other), compare(measure, one, test::blend(one, other)));
}

TEST(WholeImageTest, AveragesOverChannelsAndRefusesUnequalShapes) {
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  MeanSquaredDifference measure;
  EXPECT_DOUBLE_EQ(
      compare(measure, test::two_channels(one, other), test::two_channels(other, other)),
      compare(measure, one, other) / 2);
  EXPECT_THROW(compare(measure, one, test::texture(1, {12, 13, 14})), core::DataError);
  EXPECT_THROW(compare(measure, one, test::two_channels(one, one)), core::DataError);
}

}  // namespace
}  // namespace proxytune::similarity
