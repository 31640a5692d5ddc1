#include "proxytune/imaging/preprocess.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/imaging/transforms.h"

#include "tests/support/image_folder.h"

namespace proxytune::imaging {
namespace {

using test::counting_volume;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// An oblique, flipped grid with a label that marks a ball.
PreparedVolume ball(const Shape& shape, double radius) {
  Volume image = counting_volume(shape);
  image.geometry.spacing = {1, 1, 1};
  image.geometry.direction = {{{0, 0, -1}, {0.96, 0.28, 0}, {-0.28, 0.96, 0}}};
  LabelVolume label{shape, image.geometry, {}};
  for (int z = 0; z < shape.z; ++z)
    for (int y = 0; y < shape.y; ++y)
      for (int x = 0; x < shape.x; ++x) {
        const double dz = z - shape.z / 2.0;
        const double dy = y - shape.y / 2.0;
        const double dx = x - shape.x / 2.0;
        label.voxels.push_back(dx * dx + dy * dy + dz * dz < radius * radius ? 1 : 0);
      }
  return {image, label};
}

TEST(RestoreLabelsTest, UndoesFlipsCropsAndPadsExactly) {
  PreparedVolume input = ball({.z = 11, .y = 9, .x = 12}, 3);
  // Above 0 in a box around the ball only, so that the foreground crop cuts something off.
  for (std::size_t i = 0; i < input.image.voxels.size(); ++i)
    input.image.voxels[i] =
        input.label.voxels[i] > 0 ? 1.0F + static_cast<float>(i % 5) : -1.0F;
  for (const AxisOrder order : {AxisOrder::orient_first, AxisOrder::spacing_first})
    for (const char* orientation : {"RAS", "LPI", "SAR", "AIL"}) {
      PreprocessOptions options;
      options.orientation = orientation;
      options.axis_order = order;
      options.intensity = Intensity::none;
      options.crop_foreground = true;
      options.pad_to = {10, 4, 9};
      const PreparedVolume both = preprocess(input.image, input.label, options);
      const PreparedImage alone = preprocess_image(input.image, options);
      EXPECT_EQ(both.image.voxels, alone.image.voxels);
      EXPECT_NE(both.image.shape, input.image.shape);
      const LabelVolume back = restore_labels(both.label, alone);
      EXPECT_EQ(back.voxels, input.label.voxels) << orientation;
      EXPECT_EQ(back.geometry, input.image.geometry);
    }
}

TEST(RestoreLabelsTest, IsWithinAVoxelUnderResampling) {
  PreparedVolume input = ball({.z = 21, .y = 24, .x = 23}, 7);
  for (const AxisOrder order : {AxisOrder::orient_first, AxisOrder::spacing_first})
    for (const double spacing : {0.7, 1.3})
      for (const int axis : {0, 1, 2}) {
        // The label is the index along one axis, so what comes back tells where it came from.
        for (std::size_t i = 0; i < input.label.voxels.size(); ++i)
          input.label.voxels[i] = static_cast<std::uint8_t>(axis == 0   ? i % 23
                                                            : axis == 1 ? i / 23 % 24
                                                                        : i / 23 / 24);
        PreprocessOptions options;
        options.spacing = {spacing, 1, spacing};
        options.axis_order = order;
        options.pad_to = {40, 40, 10};
        const PreparedVolume both = preprocess(input.image, input.label, options);
        const LabelVolume back =
            restore_labels(both.label, preprocess_image(input.image, options));
        for (std::size_t i = 0; i < back.voxels.size(); ++i)
          ASSERT_NEAR(back.voxels[i], input.label.voxels[i], 1)
              << spacing << " axis " << axis << " voxel " << i;
      }
}

TEST(PreprocessTest, MovesTheGeometryWithTheVoxels) {
  // The brightest voxel stays at its place in the patient through every step.
  PreparedVolume input = ball({.z = 11, .y = 9, .x = 12}, 3);
  std::fill(input.image.voxels.begin(), input.image.voxels.end(), 1.0F);
  input.image.voxels[static_cast<std::size_t>((5 * 9 + 4) * 12 + 6)] = 100;
  const auto place = position(input.image.geometry, {6, 4, 5});
  PreprocessOptions options;
  options.spacing = {0.5, 0.5, 0.5};
  options.pad_to = {30, 30, 30};
  const Volume result = preprocess(input.image, input.label, options).image;
  const auto brightest = std::max_element(result.voxels.begin(), result.voxels.end());
  const auto offset = static_cast<int>(brightest - result.voxels.begin());
  const auto found = position(result.geometry,
                              {static_cast<double>(offset % result.shape.x),
                               static_cast<double>(offset / result.shape.x % result.shape.y),
                               static_cast<double>(offset / result.shape.x / result.shape.y)});
  for (std::size_t a = 0; a < 3; ++a)
    EXPECT_NEAR(found[a], place[a], 1e-9);
}

TEST(PreprocessTest, RefusesAnotherGridAndAnImageWithoutForeground) {
  PreparedVolume input = ball({.z = 6, .y = 6, .x = 6}, 2);
  input.label.geometry.spacing[1] = 1.01;
  PreprocessOptions options;
  EXPECT_THAT(test::sentence_of<core::DataError>(
                  [&] { preprocess(input.image, input.label, options); }),
              HasSubstr("spacing differs by 0.01 mm along y (1 and 1.01), more than the "
                        "tolerance 0.001"));
  options.geometry_tolerance = 0.1;
  EXPECT_EQ(preprocess(input.image, input.label, options).label.geometry.spacing,
            (std::array<double, 3>{1, 1, 1}));
  options.intensity = Intensity::window;
  options.window_low = 1000;
  options.window_high = 2000;
  options.crop_foreground = true;
  EXPECT_THAT(
      test::sentence_of<core::DataError>([&] { preprocess_image(input.image, options); }),
      HasSubstr("no foreground to crop to"));
}

TEST(PreprocessOptionsTest, AreChecked) {
  const auto refused = [](const auto& change) {
    PreprocessOptions options;
    change(options);
    try {
      validate(options);
    } catch (const core::FieldError& error) {
      return error.field();
    }
    return std::string();
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& o) { o.orientation = "RAR"; }), "orientation");
  EXPECT_EQ(refused([](auto& o) { o.orientation = "RA"; }), "orientation");
  EXPECT_EQ(refused([](auto& o) { o.spacing[1] = -1; }), "spacing");
  EXPECT_EQ(refused([](auto& o) { o.window_low = 200; }), "window_low");
  EXPECT_EQ(refused([](auto& o) { o.pad_to[2] = -3; }), "pad_to");
  EXPECT_EQ(refused([](auto& o) { o.geometry_tolerance = -1; }), "geometry_tolerance");
}

TEST(PreprocessOptionsTest, HaveAnIdentityThatFollowsWhatMatters) {
  PreprocessOptions options;
  PreprocessOptions other;
  other.window_low = -100;  // no window is applied
  EXPECT_EQ(identity(options), identity(other));
  other.intensity = options.intensity = Intensity::window;
  EXPECT_NE(identity(options), identity(other));
}

TEST(PreprocessTest, RefusesWhatThereIsNoRoomFor) {
  const Volume image = counting_volume({.z = 3, .y = 4, .x = 5}, 900);
  const auto refused = [&](const PreprocessOptions& options) {
    return test::sentence_of<core::FieldError>([&] { preprocess_image(image, options); });
  };
  EXPECT_THAT(refused({.spacing = {1e-9, 1e-9, 1e-9}}),
              AllOf(HasSubstr("spacing is [1e-09, 1e-09, 1e-09] mm"),
                    HasSubstr("2147483647 x 2147483647 x 2147483647 voxels")));
  EXPECT_THAT(refused({.pad_to = {1290, 1290, 1290}}),
              AllOf(HasSubstr("pad_to is [1290, 1290, 1290]"),
                    HasSubstr("1290 x 1290 x 1290 voxels"),
                    HasSubstr("GB of memory")));
}

TEST(LabelBoxTest, IsTight) {
  LabelVolume label{{.z = 5, .y = 6, .x = 7}, {}, std::vector<std::uint8_t>(210, 0)};
  EXPECT_FALSE(label_box(view(label)).has_value());
  const auto mark = [&](int x, int y, int z) {
    label.voxels[static_cast<std::size_t>((z * 6 + y) * 7 + x)] = 2;
  };
  mark(4, 1, 3);
  EXPECT_EQ(label_box(view(label)), (Box{{4, 1, 3}, {5, 2, 4}}));
  mark(2, 5, 2);
  mark(6, 3, 2);
  EXPECT_EQ(label_box(view(label)), (Box{{2, 1, 2}, {7, 6, 4}}));
  mark(0, 0, 0);
  mark(6, 5, 4);
  EXPECT_EQ(label_box(view(label)), (Box{{0, 0, 0}, {7, 6, 5}}));
}

TEST(ResizeTrilinearTest, OfABoxIsThatOfItsCrop) {
  const PreparedVolume input = ball({.z = 11, .y = 9, .x = 12}, 3);
  const auto box = label_box(view(input.label));
  ASSERT_TRUE(box.has_value());
  const Volume cropped = crop(input.image, *box);
  for (const Shape& shape : {Shape{.z = 3, .y = 2, .x = 4}, Shape{.z = 16, .y = 9, .x = 13}})
    EXPECT_EQ(resize_trilinear(view(input.image), *box, shape).voxels,
              resize_trilinear(view(cropped), shape).voxels);
}

TEST(ResizeTrilinearTest, KeepsAConstant) {
  const std::vector<float> flat(60, 0.1F);
  const VolumeView image{1, {.z = 3, .y = 4, .x = 5}, flat};
  for (const float value : resize_trilinear(image, {.z = 7, .y = 2, .x = 9}).voxels)
    ASSERT_FLOAT_EQ(value, 0.1F);
}

}  // namespace
}  // namespace proxytune::imaging
