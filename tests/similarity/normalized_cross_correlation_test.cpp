#include "proxytune/similarity/normalized_cross_correlation.h"

#include <cmath>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/reference/reference_numbers.h"
#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

using imaging::view;

double compare(Measure& measure, const imaging::Volume& one, const imaging::Volume& other) {
  return measure.compare(*measure.prepare(view(one)), *measure.prepare(view(other)));
}

double compare(const imaging::Volume& one,
               const imaging::Volume& other,
               int window,
               FlatWindows flat = FlatWindows::zero,
               Border border = Border::zero_padded) {
  NormalizedCrossCorrelation measure(window, flat, border);
  return compare(measure, one, other);
}

double voxel(const imaging::Volume& volume, int z, int y, int x) {
  const imaging::Shape& shape = volume.shape;
  if (z < 0 || y < 0 || x < 0 || z >= shape.z || y >= shape.y || x >= shape.x)
    return 0;
  return volume.voxels[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)];
}

struct Window {
  double cross = 0, one = 0, other = 0;
};

/// Sums of Eq. 2 around a centre, in two passes.
Window window_at(
    const imaging::Volume& one, const imaging::Volume& other, int radius, int z, int y, int x) {
  double mean_one = 0;
  double mean_other = 0;
  const auto each = [&](const auto& use) {
    for (int dz = -radius; dz <= radius; ++dz)
      for (int dy = -radius; dy <= radius; ++dy)
        for (int dx = -radius; dx <= radius; ++dx)
          use(voxel(one, z + dz, y + dy, x + dx), voxel(other, z + dz, y + dy, x + dx));
  };
  const double count = (2 * radius + 1) * (2 * radius + 1) * (2 * radius + 1);
  each([&](double a, double b) { mean_one += a / count, mean_other += b / count; });
  Window sums;
  each([&](double a, double b) {
    sums.cross += (a - mean_one) * (b - mean_other);
    sums.one += (a - mean_one) * (a - mean_one);
    sums.other += (b - mean_other) * (b - mean_other);
  });
  return sums;
}

double textbook(const imaging::Volume& one,
                const imaging::Volume& other,
                int window,
                FlatWindows flat,
                Border border) {
  const int radius = window / 2;
  const int margin = border == Border::interior ? radius : 0;
  const imaging::Shape& shape = one.shape;
  double sum = 0;
  int centres = 0;
  for (int z = margin; z < shape.z - margin; ++z)
    for (int y = margin; y < shape.y - margin; ++y)
      for (int x = margin; x < shape.x - margin; ++x) {
        const Window sums = window_at(one, other, radius, z, y, x);
        const bool is_flat = sums.one < 1e-9 || sums.other < 1e-9;
        if (is_flat && flat == FlatWindows::skip)
          continue;
        ++centres;
        if (is_flat)
          sum += flat == FlatWindows::one ? 1 : 0;
        else
          sum += sums.cross * sums.cross / (sums.one * sums.other);
      }
  return centres == 0 ? 0 : sum / centres;
}

imaging::Volume with_flat_half(imaging::Volume volume, float value) {
  std::fill(volume.voxels.begin(),
            volume.voxels.begin() + static_cast<std::ptrdiff_t>(volume.voxels.size() / 2),
            value);
  return volume;
}

TEST(NormalizedCrossCorrelationTest, OfAnImageWithItselfIsOne) {
  EXPECT_NEAR(compare(test::texture(1), test::texture(1), 9), 1.0, 1e-6);
}

TEST(NormalizedCrossCorrelationTest, IsSymmetricToTheLastBit) {
  for (int seed = 1; seed < 6; ++seed) {
    const auto one = test::texture(seed);
    const auto other = test::blend(one, test::texture(seed + 10));
    EXPECT_EQ(compare(one, other, 5), compare(other, one, 5));
  }
}

TEST(NormalizedCrossCorrelationTest, InsideDoesNotFeelScaleAndShift) {
  const auto one = test::texture(1);
  auto other = test::blend(one, test::texture(2));
  const double before = compare(one, other, 5, FlatWindows::zero, Border::interior);
  for (float& value : other.voxels)
    value = 1000 - 300 * value;
  EXPECT_NEAR(compare(one, other, 5, FlatWindows::zero, Border::interior), before, 1e-5);
}

TEST(NormalizedCrossCorrelationTest, EqualsTheTextbookUnderEveryConvention) {
  const auto one = with_flat_half(test::texture(1, {11, 8, 9}), 0);
  const auto other = with_flat_half(test::texture(2, {11, 8, 9}), 0.9F);
  for (const int window : {3, 5, 7})
    for (const FlatWindows flat : {FlatWindows::zero, FlatWindows::one, FlatWindows::skip})
      for (const Border border : {Border::zero_padded, Border::interior})
        EXPECT_NEAR(compare(one, other, window, flat, border),
                    textbook(one, other, window, flat, border),
                    5e-6)  // codes are rounded, and few windows average it out
            << window << core::to_string(flat) << core::to_string(border);
}

/// Whole numbers over the whole range of codes, so that coding them changes nothing.
imaging::Volume whole_numbers(int seed, const imaging::Shape& shape) {
  imaging::Volume volume = test::texture(seed, shape);
  for (float& value : volume.voxels)
    value = std::round((value - 0.5F) * 15000);
  volume.voxels[3] = -10922;
  volume.voxels[7] = 10922;
  return volume;
}

TEST(NormalizedCrossCorrelationTest, IsExactWhereValuesAreCodes) {
  const auto one = whole_numbers(1, {11, 12, 19});
  const auto blended = test::blend(one, whole_numbers(2, one.shape));
  auto other = blended;
  for (std::size_t i = 0; i < other.voxels.size(); ++i)
    other.voxels[i] = i == 3 || i == 7 ? one.voxels[i] : std::round(other.voxels[i]);
  for (const Border border : {Border::zero_padded, Border::interior})
    EXPECT_NEAR(compare(one, other, 9, FlatWindows::zero, border),
                textbook(one, other, 9, FlatWindows::zero, border),
                2e-8);
}

TEST(NormalizedCrossCorrelationTest, EqualsMonaisInDouble) {
  const auto numbers = test::reference_numbers("similarity_reference");
  const auto one = test::texture(1);
  const auto other = test::texture(2);
  const auto blended = test::blend(one, other);
  EXPECT_NEAR(compare(one, blended, 5), numbers.at("ncc_5"), 1e-6);
  EXPECT_NEAR(compare(one, blended, 9), numbers.at("ncc_9"), 1e-6);
  EXPECT_NEAR(compare(one, other, 9), numbers.at("ncc_9_unrelated"), 1e-6);
  EXPECT_NEAR(compare(with_flat_half(one, 0), with_flat_half(blended, 0.9F), 5),
              numbers.at("ncc_5_half_flat"),
              1e-6);
}

TEST(NormalizedCrossCorrelationTest, OfConstantImagesSeesTheStepToTheZerosAround) {
  const auto numbers = test::reference_numbers("similarity_reference");
  for (const int edge : {16, 24}) {
    const imaging::Shape shape{edge, edge, edge};
    EXPECT_NEAR(compare(test::filled(shape, 1), test::filled(shape, 0.9F), 9),
                numbers.at("ncc_9_constant_" + std::to_string(edge)),
                1e-6);
    EXPECT_EQ(compare(test::filled(shape, 0), test::filled(shape, 0.9F), 9), 0.0);
  }
}

TEST(NormalizedCrossCorrelationTest, OfConstantImagesInsideHasNoWindowWithContrast) {
  const auto flat = test::filled({7, 7, 7}, 2);
  EXPECT_EQ(compare(flat, flat, 5, FlatWindows::zero, Border::interior), 0.0);
  EXPECT_EQ(compare(flat, flat, 5, FlatWindows::one, Border::interior), 1.0);
  EXPECT_EQ(compare(flat, flat, 5, FlatWindows::skip, Border::interior), 0.0);
}

TEST(NormalizedCrossCorrelationTest, StandsALargeOffset) {
  auto one = test::texture(1);
  auto other = test::blend(one, test::texture(2));
  const double before = compare(one, other, 5, FlatWindows::zero, Border::interior);
  for (float& value : one.voxels)
    value = value * 256 + 30000;
  for (float& value : other.voxels)
    value = value * 256 - 30000;
  EXPECT_NEAR(compare(one, other, 5, FlatWindows::zero, Border::interior), before, 1e-4);
}

TEST(NormalizedCrossCorrelationTest, AveragesOverChannels) {
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  const double expected = (compare(one, other, 5) + compare(other, other, 5)) / 2;
  EXPECT_DOUBLE_EQ(compare(test::two_channels(one, other), test::two_channels(other, other), 5),
                   expected);
}

TEST(NormalizedCrossCorrelationTest, RefusesAVolumeWithoutAWindowInside) {
  const auto small = test::texture(1, {4, 9, 9});
  EXPECT_THROW(compare(small, small, 5, FlatWindows::zero, Border::interior), core::DataError);
  EXPECT_NEAR(compare(small, small, 5), 1.0, 1e-6);
  const auto one_voxel = test::filled({1, 1, 1}, 1);
  EXPECT_NEAR(compare(one_voxel, one_voxel, 9), 1.0, 1e-6);
}

TEST(NormalizedCrossCorrelationTest, RefusesImagesOfUnequalShapeOrChannels) {
  const auto one = test::texture(1);
  EXPECT_THROW(compare(one, test::texture(1, {12, 13, 14}), 5), core::DataError);
  EXPECT_THROW(compare(one, test::two_channels(one, one), 5), core::DataError);
}

// The kernels take rows in parts of up to 64 windows, whose columns overlap.
TEST(NormalizedCrossCorrelationTest, OfRowsOfAnyLengthIsTheSameForEveryInstructionSet) {
  for (const int width : {16, 17, 64, 65, 96, 113, 144}) {
    const imaging::Shape shape{10, 11, width};
    const auto value = [&](InstructionSet set) {
      NormalizedCrossCorrelation measure(9, FlatWindows::zero, Border::zero_padded, set);
      return compare(measure, test::texture(1, shape), test::texture(2, shape));
    };
    for (const InstructionSet set : {InstructionSet::avx2, InstructionSet::avx512})
      if (available(set)) {
        EXPECT_EQ(value(set), value(InstructionSet::portable))
            << core::to_string(set) << ", " << width << " columns";
      }
  }
}

}  // namespace
}  // namespace proxytune::similarity
