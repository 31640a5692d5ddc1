#include "proxytune/training/sliding_window.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::training {
namespace {

using ::testing::ElementsAre;

TEST(WindowStartsTest, AreMonais) {
  EXPECT_THAT(window_starts(20, 8, 0.25), ElementsAre(0, 6, 12));
  EXPECT_THAT(window_starts(321, 160, 0.25), ElementsAre(0, 120, 161));
  EXPECT_THAT(window_starts(200, 160, 0.25), ElementsAre(0, 40));
  EXPECT_THAT(window_starts(400, 160, 0.8),
              ElementsAre(0, 31, 62, 93, 124, 155, 186, 217, 240));
  EXPECT_EQ(window_starts(500, 160, 0.9)[1], 15);  // truncated in floating point
  EXPECT_THAT(window_starts(160, 160, 0.5), ElementsAre(0));
  EXPECT_THAT(window_starts(100, 160, 0.25), ElementsAre(0));
  EXPECT_THAT(window_starts(5, 2, 0.9), ElementsAre(0, 1, 2, 3));
}

// Numbers of window_reference.py.
TEST(WindowWeightsTest, OfAGaussianAreMonais) {
  const auto weights = window_weights({8, 8, 8}, Blending::gaussian);
  const auto at = [&](std::size_t z, std::size_t y, std::size_t x) {
    return weights[(z * 8 + y) * 8 + x];
  };
  EXPECT_NEAR(at(0, 0, 0), 1.00000005e-03, 1e-9);
  EXPECT_NEAR(at(3, 3, 3), 6.87289298e-01, 1e-6);
  EXPECT_NEAR(at(1, 3, 4), 3.42181176e-02, 1e-7);
  EXPECT_NEAR(at(2, 5, 1), 4.63091861e-03, 1e-8);
}

TEST(WindowWeightsTest, AreOneWithoutBlending) {
  for (const float weight : window_weights({2, 3, 4}, Blending::constant))
    EXPECT_EQ(weight, 1.0F);
}

/// A volume whose voxels are their offsets.
imaging::Volume numbered(int channels, imaging::Shape shape) {
  imaging::Volume volume{
      channels,
      shape,
      {},
      std::vector<float>(shape.voxels() * static_cast<std::size_t>(channels))};
  std::iota(volume.voxels.begin(), volume.voxels.end(), 1.0F);
  return volume;
}

imaging::VolumeView as_view(const imaging::Volume& volume) {
  return {volume.channels, volume.shape, volume.voxels};
}

TrainingOptions options_with(std::array<int, 3> window, double overlap, Blending blending) {
  TrainingOptions options;
  options.window = window;
  options.overlap = overlap;
  options.blending = blending;
  options.windows_per_step = 3;
  return options;
}

// A network that looks at one voxel must give the same classes whatever the windows are.
TEST(SlidingWindowTest, OfAVoxelwiseNetworkIsThatNetwork) {
  const auto volume = numbered(2, {7, 9, 11});
  const auto class_of = [](float a, float b) { return static_cast<int>(a + b) % 3; };
  for (const Blending blending : {Blending::constant, Blending::gaussian})
    for (const auto& window :
         std::vector<std::array<int, 3>>{{4, 4, 4}, {16, 2, 8}, {11, 9, 7}, {20, 20, 20}}) {
      std::vector<float> logits;
      const auto label = sliding_window_inference(
          as_view(volume),
          3,
          options_with(window, 0.4, blending),
          [&](int count, std::span<const float> windows) -> std::span<const float> {
            EXPECT_LE(count, 3);
            logits.assign(windows.size() / 2 * 3, 0.0F);
            for (std::size_t v = 0; v < windows.size() / 2; ++v)
              logits[v * 3 + static_cast<std::size_t>(
                                 class_of(windows[2 * v], windows[2 * v + 1]))] = 1;
            return logits;
          });
      for (std::size_t v = 0; v < label.voxels.size(); ++v)
        ASSERT_EQ(label.voxels[v],
                  class_of(as_view(volume).channel(0)[v], as_view(volume).channel(1)[v]))
            << v;
    }
}

TEST(SlidingWindowTest, PadsASmallImageWithTheSmallerHalfInFront) {
  const auto volume = numbered(1, {1, 1, 3});
  std::vector<float> seen;
  std::vector<float> logits;
  sliding_window_inference(as_view(volume),
                           2,
                           options_with({6, 1, 2}, 0.25, Blending::constant),
                           [&](int, std::span<const float> windows) -> std::span<const float> {
                             seen.assign(windows.begin(), windows.end());
                             logits.assign(windows.size() * 2, 0.0F);
                             return logits;
                           });
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0));
}

// Two windows of 4 over 6 voxels overlap in voxels 2 and 3, where the heavier vote wins.
TEST(SlidingWindowTest, AddsTheVotesOfOverlappingWindows) {
  const auto volume = numbered(1, {1, 1, 6});
  std::vector<float> logits;
  const auto label = sliding_window_inference(
      as_view(volume),
      2,
      options_with({4, 1, 1}, 0.5, Blending::constant),
      [&](int count, std::span<const float>) -> std::span<const float> {
        EXPECT_EQ(count, 2);
        logits = {1, 0, 1, 0, 5, 0, 1, 0, 0, 2, 0, 2, 0, 2, 0, 2};
        return logits;
      });
  EXPECT_THAT(label.voxels, ElementsAre(0, 0, 0, 1, 1, 1));
}

TEST(DiceScoresTest, AreTwiceTheOverlapOverTheSum) {
  const std::vector<std::uint8_t> truth{0, 1, 1, 2, 2, 2};
  const std::vector<std::uint8_t> prediction{1, 1, 0, 2, 2, 0};
  const auto scores = dice_scores(prediction, truth, 3);
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_DOUBLE_EQ(scores[0], 2.0 * 1 / (2 + 2));
  EXPECT_DOUBLE_EQ(scores[1], 2.0 * 2 / (3 + 2));
}

TEST(DiceScoresTest, OfAClassThatTheTruthLacksIsNotANumber) {
  const std::vector<std::uint8_t> truth{0, 0, 1};
  EXPECT_TRUE(std::isnan(dice_scores(truth, truth, 3)[1]));
  const std::vector<std::uint8_t> wrong{0, 2, 1};
  EXPECT_TRUE(std::isnan(dice_scores(wrong, truth, 3)[1]));
}

TEST(DiceScoresTest, OfAClassThatThePredictionLacksIsNought) {
  const std::vector<std::uint8_t> truth{0, 0, 1};
  const std::vector<std::uint8_t> nothing{0, 0, 0};
  EXPECT_EQ(dice_scores(nothing, truth, 2)[0], 0.0);
}

void expect_field(const TrainingOptions& options, const std::string& field) {
  try {
    validate(options);
    FAIL() << "accepted a bad " << field;
  } catch (const core::FieldError& error) {
    EXPECT_EQ(error.field(), field);
  }
}

TEST(TrainingOptionsTest, NamesTheFieldThatCannotWork) {
  EXPECT_NO_THROW(validate(TrainingOptions{}));
  expect_field({.epochs = 0}, "epochs");
  expect_field({.validate_every = 0}, "validate_every");
  expect_field({.cases_per_step = 0}, "cases_per_step");
  expect_field({.patches_per_case = -1}, "patches_per_case");
  expect_field({.patch = {32, 0, 32}}, "patch");
  expect_field({.foreground_ratio = 1.5}, "foreground_ratio");
  expect_field({.foreground_ratio = std::nan("")}, "foreground_ratio");
  expect_field({.window = {32, 32, 0}}, "window");
  expect_field({.overlap = 1.0}, "overlap");
  expect_field({.overlap = -0.1}, "overlap");
  expect_field({.windows_per_step = 0}, "windows_per_step");
}

}  // namespace
}  // namespace proxytune::training
