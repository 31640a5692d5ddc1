#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/imaging/preprocess.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {
namespace {

struct Reference {
  std::string kind;
  std::string name;
  Extents shape;
  int channels;
  std::array<double, 3> spacing;
  std::array<double, 3> origin;
  std::array<double, 9> direction;
  std::vector<double> numbers;
  Extents result_shape;
  std::array<double, 3> result_spacing;
  std::array<double, 3> result_origin;
  std::array<double, 9> result_direction;
  std::vector<double> voxels;
};

const std::vector<Reference>& references() {
  static const std::vector<Reference> all = {
#include "tests/reference/imaging_reference.inc"
  };
  return all;
}

Geometry geometry(const std::array<double, 3>& spacing,
                  const std::array<double, 3>& origin,
                  const std::array<double, 9>& d) {
  return {spacing, origin, {{{d[0], d[1], d[2]}, {d[3], d[4], d[5]}, {d[6], d[7], d[8]}}}};
}

/// The formula of `pattern` in imaging_reference.py.
Volume input(const Reference& reference) {
  Volume image{reference.channels,
               shape_of(reference.shape),
               geometry(reference.spacing, reference.origin, reference.direction),
               {}};
  const auto count = static_cast<int>(image.shape.voxels()) * reference.channels;
  const bool zeros = reference.kind != "pipeline";
  for (int i = 0; i < count; ++i) {
    const float value = static_cast<float>((i * 7919 + 13) % 1009) / 64.0F - 5.0F;
    image.voxels.push_back(!zeros ? value + 1.0F / 128.0F : i % 7 == 0 ? 0.0F : value);
  }
  return image;
}

LabelVolume label_input(const Reference& reference) {
  LabelVolume label{shape_of(reference.shape),
                    geometry(reference.spacing, reference.origin, reference.direction),
                    {}};
  for (int i = 0; i < static_cast<int>(label.shape.voxels()); ++i)
    label.voxels.push_back(static_cast<std::uint8_t>((i * 31 + 7) % 251));
  return label;
}

template <class Any>
void expect_result(const Any& result, const Reference& reference, double tolerance) {
  SCOPED_TRACE(reference.kind + " " + reference.name + " of " +
               to_text(shape_of(reference.shape)) + " voxels at " +
               std::to_string(reference.spacing[0]));
  const Geometry expected =
      geometry(reference.result_spacing, reference.result_origin, reference.result_direction);
  const auto difference = grid_difference(
      result.shape, result.geometry, shape_of(reference.result_shape), expected, 1e-6);
  ASSERT_FALSE(difference.has_value()) << *difference;
  ASSERT_EQ(result.voxels.size(), reference.voxels.size());
  for (std::size_t i = 0; i < reference.voxels.size(); ++i)
    ASSERT_NEAR(result.voxels[i], reference.voxels[i], tolerance) << "voxel " << i;
}

std::array<double, 3> triple(const std::vector<double>& numbers) {
  return {numbers.at(0), numbers.at(1), numbers.at(2)};
}
Extents int_triple(const std::vector<double>& numbers) {
  return {static_cast<int>(numbers.at(0)),
          static_cast<int>(numbers.at(1)),
          static_cast<int>(numbers.at(2))};
}

/// Runs `check` on every reference of a kind; there must be some.
template <class Check>
void for_each(const std::string& kind, const Check& check) {
  int count = 0;
  for (const Reference& reference : references()) {
    if (reference.kind != kind)
      continue;
    ++count;
    check(reference);
  }
  EXPECT_GT(count, 0) << kind;
}

TEST(MonaiTest, OrientationTurnsVoxelsAndGeometry) {
  for_each("orient", [](const Reference& reference) {
    expect_result(orient(input(reference), reference.name), reference, 0);
  });
}

TEST(MonaiTest, SpacingOfImagesIsTrilinear) {
  for_each("spacing", [](const Reference& reference) {
    expect_result(
        resample_spacing(input(reference), triple(reference.numbers)), reference, 2e-6);
  });
}

TEST(MonaiTest, SpacingOfLabelsTakesTheSameVoxelEvenOnTies) {
  for_each("spacing_label", [](const Reference& reference) {
    expect_result(
        resample_spacing(label_input(reference), triple(reference.numbers)), reference, 0);
  });
}

TEST(MonaiTest, ScaleIntensityRangeClips) {
  for_each("window", [](const Reference& reference) {
    expect_result(
        scale_intensity_range(input(reference), reference.numbers[0], reference.numbers[1]),
        reference,
        1e-7);
  });
}

TEST(MonaiTest, NormalizeIntensityLeavesZeros) {
  for_each("zscore", [](const Reference& reference) {
    Volume image = input(reference);
    if (reference.name == "second_channel_empty")
      std::ranges::fill(image.channel(1), 0.0F);
    expect_result(normalize_nonzero(std::move(image)), reference, 1e-6);
  });
}

/// Makes all voxels of 5 x 7 x 6 negative but a block in one channel, or one voxel in each.
void leave_foreground(Volume& image) {
  const bool block = image.channels == 1;
  std::size_t i = 0;
  for (int c = 0; c < image.channels; ++c)
    for (int z = 0; z < 5; ++z)
      for (int y = 0; y < 7; ++y)
        for (int x = 0; x < 6; ++x, ++i)
          if (!(block && 1 <= x && x <= 3 && 2 <= y && y <= 5 && z >= 3))
            image.voxels[i] = -std::abs(image.voxels[i]);
  if (block)
    return;
  image.channel(0)[(3 * 7 + 2) * 6 + 4] = 0.5F;
  image.channel(1)[(1 * 7 + 5) * 6 + 1] = 0.5F;
}

TEST(MonaiTest, CropForegroundKeepsTheBoxOfPositiveVoxels) {
  for_each("foreground", [](const Reference& reference) {
    Volume image = input(reference);
    leave_foreground(image);
    const auto box = foreground_box(view(image));
    ASSERT_TRUE(box.has_value());
    expect_result(crop(image, *box), reference, 0);
  });
}

TEST(MonaiTest, SpatialPadPutsTheOddVoxelAtTheEnd) {
  for_each("pad", [](const Reference& reference) {
    expect_result(spatial_pad(input(reference), int_triple(reference.numbers)), reference, 0);
  });
}

TEST(MonaiTest, ResizeIsTorchsTrilinearInterpolation) {
  for_each("resize", [](const Reference& reference) {
    Volume resized = resize_trilinear(view(input(reference)), shape_of(reference.result_shape));
    EXPECT_EQ(resized.channels, reference.channels);
    expect_result(resized, reference, 2e-6);
  });
}

TEST(MonaiTest, PipelinesAgreeInBothOrdersOfOrientationAndSpacing) {
  for_each("pipeline", [](const Reference& reference) {
    PreprocessOptions options;
    options.spacing = triple(reference.numbers);
    options.axis_order = core::from_string<AxisOrder>(reference.name);
    options.pad_to = {10, 10, 4};
    expect_result(preprocess_image(input(reference), options).image, reference, 3e-6);
  });
}

}  // namespace
}  // namespace proxytune::imaging
