#include "proxytune/training/patches.h"

#include <map>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/training/made_cases.h"

namespace proxytune::training {
namespace {

const core::RandomKey trial(11);

/// Voxels are their offsets, every channel 1000 above the last; one labelled voxel.
void add_numbered(test::MadeCases& cases,
                  imaging::Shape shape,
                  std::size_t labelled,
                  int channels = 1) {
  imaging::Volume image{
      channels,
      shape,
      {},
      std::vector<float>(shape.voxels() * static_cast<std::size_t>(channels))};
  for (std::size_t i = 0; i < image.voxels.size(); ++i)
    image.voxels[i] = static_cast<float>(i / shape.voxels() * 1000 + i % shape.voxels());
  imaging::LabelVolume label{shape, {}, std::vector<std::uint8_t>(shape.voxels())};
  label.voxels[labelled] = 1;
  cases.add(std::move(image), std::move(label));
}

TrainingOptions options_with(std::array<int, 3> patch, double ratio) {
  TrainingOptions options;
  options.patch = patch;
  options.foreground_ratio = ratio;
  return options;
}

PatchSampler sampler_of(const test::MadeCases& cases,
                        const TrainingOptions& options,
                        double shift_probability = 0,
                        std::vector<int> indices = {0}) {
  return {cases,
          indices,
          options,
          {.shift_probability = shift_probability, .shift_offset = 0.25},
          2,
          trial};
}

TEST(PatchSamplerTest, ReachesEveryStartAndNoOther) {
  test::MadeCases cases;
  add_numbered(cases, {5, 6, 8}, 0);
  const auto sampler = sampler_of(cases, options_with({3, 4, 5}, 0));
  std::map<Triple, int> seen;
  for (int draw = 0; draw < 6000; ++draw)
    ++seen[sampler.box(0, 0, draw).start];
  std::set<int> z;
  std::set<int> y;
  std::set<int> x;
  for (const auto& [start, times] : seen) {
    z.insert(start[0]);
    y.insert(start[1]);
    x.insert(start[2]);
  }
  EXPECT_THAT(z, ::testing::ElementsAre(0));
  EXPECT_THAT(y, ::testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(x, ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(seen.size(), 18U);
  // Along x, centres 0 and 1 are moved to start 0 and centres 6 and 7 to start 5.
  int first = 0;
  int second = 0;
  for (const auto& [start, times] : seen) {
    if (start[2] == 0)
      first += times;
    if (start[2] == 1)
      second += times;
  }
  EXPECT_NEAR(first, 1500, 150);
  EXPECT_NEAR(second, 750, 120);
}

TEST(PatchSamplerTest, CentresOnForegroundAsOftenAsTheRatioSays) {
  test::MadeCases cases;
  add_numbered(cases, {9, 9, 9}, (4 * 9 + 5) * 9 + 3);
  for (const double ratio : {0.0, 0.3, 1.0}) {
    const auto sampler = sampler_of(cases, options_with({1, 1, 1}, ratio));
    int labelled = 0;
    for (int draw = 0; draw < 4000; ++draw)
      labelled += sampler.box(0, 0, draw).start == Triple{4, 5, 3} ? 1 : 0;
    EXPECT_NEAR(labelled / 4000.0, ratio, ratio == 0 || ratio == 1 ? 0 : 0.03);
  }
}

TEST(PatchSamplerTest, TakesTheOtherClassWhereOneIsEmpty) {
  test::MadeCases cases;
  add_numbered(cases, {2, 2, 2}, 0);
  cases.labels[0].voxels.assign(8, 0);
  EXPECT_NO_THROW(sampler_of(cases, options_with({1, 1, 1}, 1)).box(0, 0, 0));
  cases.labels[0].voxels.assign(8, 1);
  EXPECT_NO_THROW(sampler_of(cases, options_with({1, 1, 1}, 0)).box(0, 0, 0));
}

TEST(PatchSamplerTest, PositiveBackgroundNeverCentresOnAir) {
  test::MadeCases cases;
  add_numbered(cases, {1, 1, 50}, 49);
  for (std::size_t x = 0; x < 40; ++x)
    cases.images[0].voxels[x] = -1;
  auto options = options_with({1, 1, 1}, 0);
  options.background = Background::positive;
  const auto sampler = sampler_of(cases, options);
  for (int draw = 0; draw < 300; ++draw)
    EXPECT_GE(sampler.box(0, 0, draw).start[2], 40);
  cases.images[0].voxels.assign(50, 0.0F);
  EXPECT_EQ(sampler_of(cases, options).box(0, 0, 0).start[2], 49);
  cases.labels[0].voxels.assign(50, 0);
  EXPECT_THROW(sampler_of(cases, options), core::DataError);
}

TEST(PatchSamplerTest, CutsEveryChannelAndTheLabelAtOnePlace) {
  test::MadeCases cases;
  add_numbered(cases, {6, 7, 8}, 100, 2);
  const auto sampler = sampler_of(cases, options_with({4, 3, 2}, 0.5));
  std::vector<float> image(24 * 2);
  std::vector<std::uint8_t> label(24);
  for (int draw = 0; draw < 20; ++draw) {
    const Box box = sampler.box(3, 0, draw);
    sampler.cut(3, 0, draw, image, label);
    for (int z = 0; z < 2; ++z)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 4; ++x) {
          const auto offset = static_cast<std::size_t>(
              ((box.start[0] + z) * 7 + box.start[1] + y) * 8 + box.start[2] + x);
          const auto at = static_cast<std::size_t>((z * 3 + y) * 4 + x);
          ASSERT_EQ(image[at * 2], static_cast<float>(offset));
          ASSERT_EQ(image[at * 2 + 1], 1000.0F + static_cast<float>(offset));
          ASSERT_EQ(label[at], offset == 100 ? 1 : 0);
        }
  }
}

TEST(PatchSamplerTest, ShiftsAWholePatchWithinTheOffset) {
  test::MadeCases cases;
  add_numbered(cases, {2, 2, 2}, 0, 2);
  cases.images[0].voxels.assign(16, 0.0F);
  const auto options = options_with({2, 2, 2}, 0.5);
  std::vector<float> image(16);
  std::vector<std::uint8_t> label(8);
  for (const double probability : {0.0, 0.4, 1.0}) {
    const auto sampler = sampler_of(cases, options, probability);
    int shifted = 0;
    float least = 0;
    float most = 0;
    for (int draw = 0; draw < 2000; ++draw) {
      sampler.cut(0, 0, draw, image, label);
      for (const float voxel : image)
        ASSERT_EQ(voxel, image[0]);
      shifted += image[0] != 0 ? 1 : 0;
      least = std::min(least, image[0]);
      most = std::max(most, image[0]);
    }
    EXPECT_NEAR(shifted / 2000.0, probability, probability == 0 || probability == 1 ? 0 : 0.04);
    EXPECT_GE(least, -0.25F);
    EXPECT_LE(most, 0.25F);
    if (probability == 1) {
      EXPECT_LT(least, -0.24F);
      EXPECT_GT(most, 0.24F);
    }
  }
}

TEST(PatchSamplerTest, DependsOnKeysNotOnTheOrderOfCases) {
  test::MadeCases cases;
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    test::add_ball(cases, 12, seed);
  const auto options = options_with({6, 6, 6}, 0.5);
  const auto one = sampler_of(cases, options, 0.5, {0, 1, 2, 3, 4});
  const auto other = sampler_of(cases, options, 0.5, {3, 1, 4, 0, 2});
  std::vector<float> image(216);
  std::vector<float> again(216);
  std::vector<std::uint8_t> label(216);
  std::set<Triple> starts;
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(one.steps(epoch), other.steps(epoch));
    for (int position = 0; position < 5; ++position)
      for (int draw = 0; draw < 2; ++draw) {
        one.cut(epoch, position, draw, image, label);
        other.cut(epoch, position, draw, again, label);
        EXPECT_EQ(image, again);
        starts.insert(one.box(epoch, position, draw).start);
      }
  }
  EXPECT_GT(starts.size(), 20U);  // epochs, cases and draws all matter
}

TEST(PatchSamplerTest, AnEpochTakesEveryCaseOnceInADifferentOrder) {
  test::MadeCases cases;
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    test::add_ball(cases, 4, seed);
  auto options = options_with({2, 2, 2}, 0.5);
  options.cases_per_step = 2;
  const auto sampler = sampler_of(cases, options, 0, {0, 1, 2, 3, 4});
  std::set<std::vector<std::vector<int>>> epochs;
  for (int epoch = 0; epoch < 4; ++epoch) {
    const auto steps = sampler.steps(epoch);
    ASSERT_EQ(steps.size(), 3U);
    EXPECT_EQ(steps[0].size(), 2U);
    EXPECT_EQ(steps[2].size(), 1U);
    std::set<int> taken;
    for (const auto& step : steps)
      taken.insert(step.begin(), step.end());
    EXPECT_EQ(taken.size(), 5U);
    epochs.insert(steps);
  }
  EXPECT_GT(epochs.size(), 1U);
}

TEST(PatchSamplerTest, NamesTheCaseThatCannotBeCut) {
  test::MadeCases cases;
  add_numbered(cases, {4, 4, 4}, 0);
  const auto sentence = [&](std::array<int, 3> patch) -> std::string {
    try {
      sampler_of(cases, options_with(patch, 0.5));
    } catch (const core::DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(sentence({4, 4, 4}), "");
  EXPECT_THAT(sentence({4, 5, 4}),
              ::testing::HasSubstr(
                  "case0 has 4 x 4 x 4 voxels, less than the training patch of 4 x 5 x 4"));
  cases.labels[0].voxels[5] = 2;
  EXPECT_THAT(sentence({4, 4, 4}), ::testing::HasSubstr("case0 has the class 2"));
}

}  // namespace
}  // namespace proxytune::training
