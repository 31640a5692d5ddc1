#include "proxytune/training/sliding_window.h"

#include <cmath>
#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/trials/trial.h"

#include "tests/reference/inference_reference.h"

namespace proxytune::training {
namespace {

using ::testing::ElementsAre;

TEST(WindowStartsTest, AreMonais) {
  for (const reference::Starts& wanted : reference::window_starts)
    EXPECT_EQ(window_starts(wanted.image, wanted.window, wanted.overlap), wanted.starts)
        << wanted.image << ' ' << wanted.window << ' ' << wanted.overlap;
}

TEST(WindowWeightsTest, OfAGaussianAreMonais) {
  const auto weights = window_weights({8, 6, 5}, Blending::gaussian);
  ASSERT_EQ(weights.size(), reference::gaussian_weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(weights[i], reference::gaussian_weights[i], 1e-6 * weights[i]) << i;
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

/// The network of inference_reference.py.
void reference_logits(const Triple& window,
                      std::span<const float> voxels,  // z, y, x, channel
                      std::span<float> logits) {
  const std::size_t count = voxels_of(window);
  double sum = 0;
  for (std::size_t v = 0; v < count; ++v)
    sum += static_cast<double>(voxels[2 * v]);
  const auto mean = static_cast<float>(sum / static_cast<double>(count));
  for (std::size_t v = 0; v < count; ++v)
    for (int c = 0; c < 3; ++c) {
      const auto wave = static_cast<float>((static_cast<int>(v) * 37 + c * 11) % 17) / 8 - 1;
      logits[3 * v + static_cast<std::size_t>(c)] =
          static_cast<float>(c - 1) * voxels[2 * v] +
          static_cast<float>(1 - c * c % 3) * voxels[2 * v + 1] + wave +
          static_cast<float>(8 * (c - 1)) * mean;
    }
}

TEST(SlidingWindowTest, GivesMonaisClassesForEveryWindowOverlapAndBlending) {
  const auto [z, y, x] = reference::window_extent;
  imaging::Volume volume = numbered(2, {z, y, x});
  for (std::size_t i = 0; i < volume.voxels.size(); ++i)
    volume.voxels[i] =
        static_cast<float>(static_cast<double>((i * 7919 + 13) % 1009) / 504.5 - 1);
  for (const reference::WindowCase& wanted : reference::window_cases) {
    const Triple window = wanted.window;
    std::vector<float> logits;
    const auto label = sliding_window_inference(
        as_view(volume),
        3,
        options_with(reversed(window),
                     wanted.overlap,
                     wanted.gaussian ? Blending::gaussian : Blending::constant),
        [&](int count, std::span<const float> windows) -> std::span<const float> {
          const std::size_t voxels = voxels_of(window);
          logits.resize(static_cast<std::size_t>(count) * voxels * 3);
          for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
            reference_logits(window,
                             windows.subspan(i * voxels * 2, voxels * 2),
                             std::span(logits).subspan(i * voxels * 3, voxels * 3));
          return logits;
        });
    std::string classes;
    for (const std::uint8_t voxel : label.voxels)
      classes += static_cast<char>('0' + voxel);
    EXPECT_EQ(classes, wanted.classes)
        << window[0] << " x " << window[1] << " x " << window[2] << ", overlap "
        << wanted.overlap << (wanted.gaussian ? ", Gaussian" : ", constant");
  }
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

std::vector<std::uint8_t> classes_of(const std::string& digits) {
  std::vector<std::uint8_t> classes;
  for (const char digit : digits)
    classes.push_back(static_cast<std::uint8_t>(digit - '0'));
  return classes;
}

void expect_equal_or_both_nan(double ours, double theirs) {
  EXPECT_EQ(std::isnan(ours), std::isnan(theirs));
  if (!std::isnan(theirs)) {
    EXPECT_NEAR(ours, theirs, 1e-7);
  }
}

TEST(DiceScoresTest, AreMonaisOfEachCaseAndOnAverage) {
  trials::CaseScores all{.classes = 3, .dice = {}};
  for (const reference::DiceCase& wanted : reference::dice_cases) {
    const auto scores = dice_scores(classes_of(wanted.prediction), classes_of(wanted.truth), 4);
    ASSERT_EQ(scores.size(), wanted.dice.size());
    for (std::size_t c = 0; c < scores.size(); ++c)
      expect_equal_or_both_nan(scores[c], wanted.dice[c]);
    all.dice.insert(all.dice.end(), scores.begin(), scores.end());
  }
  const auto means = all.mean_by_class();
  ASSERT_EQ(means.size(), reference::dice_means.size());
  for (std::size_t c = 0; c < means.size(); ++c)
    EXPECT_NEAR(means[c], reference::dice_means[c], 1e-7);
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
