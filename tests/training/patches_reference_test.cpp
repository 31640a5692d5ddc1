#include "tests/reference/patches_reference.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "proxytune/training/patches.h"

#include "tests/training/made_cases.h"

// Where patches are cut and how they are shifted, beside MONAI's numbers.

namespace proxytune::training {
namespace {

bool is_labelled(const std::string& labelled, std::size_t voxel) {
  return labelled == "all" || (labelled == "some" && voxel * 31 % 97 < 9);
}

/// The image and label of patches_reference.py.
test::MadeCases made(const reference::CropCase& wanted) {
  const imaging::Shape shape{wanted.extent[0], wanted.extent[1], wanted.extent[2]};
  imaging::Volume image{2, shape, {}, {}};
  imaging::LabelVolume label{shape, {}, {}};
  for (std::size_t i = 0; i < 2 * shape.voxels(); ++i)
    image.voxels.push_back(static_cast<float>(i * 7919 % 1009) - 880.0F);
  for (std::size_t i = 0; i < shape.voxels(); ++i)
    label.voxels.push_back(is_labelled(wanted.labelled, i) ? 1 : 0);
  test::MadeCases cases;
  cases.add(std::move(image), std::move(label));
  return cases;
}

PatchSampler sampler_of(const test::MadeCases& cases,
                        const reference::CropCase& wanted,
                        const trials::HyperParameters& hyper_parameters = {}) {
  TrainingOptions options;
  options.patch = reversed(wanted.patch);
  options.foreground_ratio = wanted.foreground_ratio;
  options.background = wanted.positive_background ? Background::positive : Background::anywhere;
  static const std::vector<int> first{0};
  return {cases, first, options, hyper_parameters, 2, core::RandomKey(20)};
}

/// Pearson's statistic of the draws, by its mean and standard deviation under the reference:
/// below 4 in 999 of 1000 keys.
double surprise(const std::map<Triple, int>& seen,
                const std::vector<reference::Start>& starts,
                int draws) {
  double statistic = 0;
  for (const reference::Start& start : starts) {
    const double expected = start.probability * draws;
    const auto found = seen.find(start.zyx);
    const double times = found == seen.end() ? 0 : found->second;
    statistic += (times - expected) * (times - expected) / expected;
  }
  const auto freedom = static_cast<double>(starts.size()) - 1;
  return freedom == 0 ? 0 : (statistic - freedom) / std::sqrt(2 * freedom);
}

TEST(PatchReferenceTest, PatchesStartWhereMonaisDoAndAsOften) {
  constexpr int draws = 40000;
  for (const reference::CropCase& wanted : reference::crop_cases) {
    SCOPED_TRACE(wanted.name);
    const test::MadeCases cases = made(wanted);
    const PatchSampler sampler = sampler_of(cases, wanted);
    std::map<Triple, int> seen;
    for (int draw = 0; draw < draws; ++draw)
      ++seen[sampler.box(0, 0, draw).start];
    for (const auto& [start, times] : seen)
      EXPECT_TRUE(
          std::ranges::any_of(wanted.starts, [&](const auto& one) { return one.zyx == start; }))
          << "MONAI never starts at " << start[0] << ' ' << start[1] << ' ' << start[2];
    EXPECT_EQ(seen.size(), wanted.starts.size());
    EXPECT_LT(surprise(seen, wanted.starts, draws), 4);
  }
}

TEST(PatchReferenceTest, ShiftsComeAsOftenAndAsLargeAsMonais) {
  const reference::CropCase& wanted = reference::crop_cases.front();
  test::MadeCases cases = made(wanted);
  std::ranges::fill(cases.images[0].voxels, 0.0F);
  const PatchSampler sampler =
      sampler_of(cases, wanted, {.shift_probability = 0.4, .shift_offset = 0.25});
  std::vector<float> image(2 * voxels_of(wanted.patch));
  std::vector<std::uint8_t> label(voxels_of(wanted.patch));
  std::vector<double> shifts;
  constexpr int draws = 4000;
  for (int draw = 0; draw < draws; ++draw) {
    sampler.cut(0, 0, draw, image, label);
    if (image[0] != 0)
      shifts.push_back(static_cast<double>(image[0]));
  }
  const double count = static_cast<double>(shifts.size());
  // Two samples: three standard deviations of the difference of shares, and of quantiles.
  EXPECT_NEAR(count / draws, reference::shifted_share, 3 * std::sqrt(2 * 0.24 / draws));
  std::ranges::sort(shifts);
  const auto steps = reference::shift_quantiles.size() - 1;
  for (std::size_t i = 0; i <= steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps);
    const double deviation = 0.5 * std::sqrt(2 * share * (1 - share) / count);
    EXPECT_NEAR(shifts[static_cast<std::size_t>(share * (count - 1))],
                reference::shift_quantiles[i],
                3 * deviation + 0.002)
        << "quantile " << share;
  }
}

TEST(PatchReferenceTest, AShiftedPatchHasMonaisVoxels) {
  const imaging::Shape shape{2, 2, 2};
  imaging::Volume image{
      1, shape, {}, {reference::unshifted.begin(), reference::unshifted.end()}};
  const imaging::VolumeView view{1, shape, image.voxels};
  for (const reference::Shifted& wanted : reference::shifted_patches) {
    std::vector<float> voxels(8);
    copy_box(view, {{0, 0, 0}, {2, 2, 2}}, static_cast<float>(wanted.offset), voxels);
    for (std::size_t i = 0; i < voxels.size(); ++i)
      EXPECT_EQ(voxels[i], wanted.voxels[i]) << i;
  }
}

}  // namespace
}  // namespace proxytune::training
