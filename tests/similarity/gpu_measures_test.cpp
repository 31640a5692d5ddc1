#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/similarity/measure.h"
#include "src/similarity/gpu_memory.h"
#include "src/similarity/gpu_pairs.h"

#include "tests/similarity/emulated_gpu.h"
#include "tests/similarity/scans.h"
#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

using test::EmulatedGpu;

using test::all_pairs;
using test::expect_the_processors;
using test::scan;
using test::scans;

class GpuMeasureTest : public testing::TestWithParam<Metric> {};

INSTANTIATE_TEST_SUITE_P(BothMetrics,
                         GpuMeasureTest,
                         testing::Values(Metric::mutual_information,
                                         Metric::normalized_cross_correlation),
                         [](const auto& metric) { return core::to_string(metric.param); });

constexpr imaging::Shape odd_shapes[] = {
    {1, 1, 1}, {2, 3, 1}, {9, 9, 9}, {5, 49, 17}, {11, 8, 50}, {33, 20, 47}};

TEST_P(GpuMeasureTest, GivesTheProcessorsBitsForEveryShape) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  for (const imaging::Shape& shape : odd_shapes)
    expect_the_processors(GetParam(), {}, scans(2, shape), gpu);
}

TEST_P(GpuMeasureTest, GivesTheProcessorsBitsForSeveralChannels) {
  const auto volume = [](int seed) {
    return test::two_channels(scan(seed, {10, 11, 21}), scan(seed + 5, {10, 11, 21}));
  };
  expect_the_processors(
      GetParam(), {}, {volume(1), volume(2), volume(3)}, std::make_shared<EmulatedGpu>());
}

TEST_P(GpuMeasureTest, GivesTheProcessorsBitsForConstantImages) {
  const imaging::Shape shape{10, 9, 12};
  expect_the_processors(GetParam(),
                        {},
                        {test::filled(shape, 0), test::filled(shape, 3), scan(1, shape)},
                        std::make_shared<EmulatedGpu>());
}

// Where a thread does not wait for another as it must, one of the two orders shows it.
TEST_P(GpuMeasureTest, DoesNotDependOnWhichThreadsComeFirst) {
  EmulatedGpu::Settings settings;
  settings.turned_round = true;
  const auto gpu = std::make_shared<EmulatedGpu>(settings);
  for (const imaging::Shape& shape : {imaging::Shape{9, 9, 9}, imaging::Shape{11, 51, 40}})
    expect_the_processors(GetParam(), {}, scans(2, shape), gpu);
}

TEST_P(GpuMeasureTest, APairsValueDoesNotDependOnItsCompany) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  const auto measure = make_measure(GetParam(), {}, chosen_instruction_set(), gpu);
  const auto volumes = scans(5, {6, 9, 17});
  const auto together = all_pairs(*measure, volumes, Cells::all);
  EXPECT_EQ(all_pairs(*measure, volumes, Cells::upper), together);
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t column = 0; column < 5; ++column)
      EXPECT_EQ(measure->compare(*measure->prepare(imaging::view(volumes[row])),
                                 *measure->prepare(imaging::view(volumes[column]))),
                together[row * 5 + column]);
}

TEST_P(GpuMeasureTest, HoldsNoMoreMemoryThanItsImagesSay) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  const auto measure = make_measure(GetParam(), {}, chosen_instruction_set(), gpu);
  ASSERT_EQ(gpu->used(), 0U);
  const auto image = measure->prepare(imaging::view(scan(1, {12, 11, 10})));
  EXPECT_EQ(gpu->used(), image->bytes());
  EXPECT_GE(image->bytes(), 12U * 11 * 10);
}

TEST_P(GpuMeasureTest, GivesAllMemoryBack) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  all_pairs(*make_measure(GetParam(), {}, chosen_instruction_set(), gpu),
            scans(3, {9, 9, 9}),
            Cells::upper);
  EXPECT_EQ(gpu->used(), 0U);
}

TEST_P(GpuMeasureTest, AFullGpuIsAnErrorThatCanBeCaught) {
  EmulatedGpu::Settings settings;
  settings.memory = 10000;
  const auto gpu = std::make_shared<EmulatedGpu>(settings);
  const auto measure = make_measure(GetParam(), {}, chosen_instruction_set(), gpu);
  EXPECT_THROW(measure->prepare(imaging::view(scan(1, {24, 24, 24}))), core::SystemError);
  EXPECT_EQ(gpu->used(), 0U);
}

TEST_P(GpuMeasureTest, RefusesImagesOfDifferentShapes) {
  const auto measure =
      make_measure(GetParam(), {}, chosen_instruction_set(), std::make_shared<EmulatedGpu>());
  const auto one = measure->prepare(imaging::view(scan(1, {9, 9, 9})));
  const auto other = measure->prepare(imaging::view(scan(1, {9, 9, 10})));
  EXPECT_THROW(measure->compare(*one, *other), core::DataError);
}

TEST(GpuMeasureTest, LocalNccGivesTheProcessorsBitsUnderEveryConvention) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  for (const int window : {3, 5, 7, 9, 11, 21})
    for (const FlatWindows flat : {FlatWindows::zero, FlatWindows::one, FlatWindows::skip})
      for (const Border border : {Border::zero_padded, Border::interior}) {
        const int least = border == Border::interior ? window : 4;
        expect_the_processors(
            Metric::normalized_cross_correlation,
            {.window = window, .flat_windows = flat, .border = border, .cube = 64},
            scans(2, {least + 1, least + 3, least + 14}),
            gpu);
      }
}

// Few pairs of many planes: the planes are shared out among warps.
TEST(GpuMeasureTest, LocalNccGivesTheProcessorsBitsForManyPlanes) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  for (const int window : {3, 5, 9})
    expect_the_processors(
        Metric::normalized_cross_correlation, {.window = window}, scans(2, {41, 5, 18}), gpu);
}

TEST(GpuMeasureTest, MutualInformationGivesTheProcessorsBitsForAllBins) {
  EmulatedGpu::Settings small;
  small.shared_memory = std::size_t{48} << 10U;
  for (const auto& gpu :
       {std::make_shared<EmulatedGpu>(), std::make_shared<EmulatedGpu>(small)})
    for (const int bins : {2, 3, 64, 127, 128, 256})
      expect_the_processors(
          Metric::mutual_information, {.bins = bins}, scans(2, {14, 33, 37}), gpu);
}

TEST(GpuMeasureTest, MutualInformationGivesTheProcessorsBitsCorrectedAndNormalised) {
  expect_the_processors(Metric::mutual_information,
                        {.bins = 20, .miller_madow = true, .normalised = true},
                        scans(3, {14, 13, 12}),
                        std::make_shared<EmulatedGpu>());
}

TEST(GpuMeasureTest, OtherMetricsStayOnTheProcessor) {
  for (const Metric metric :
       {Metric::global_cross_correlation, Metric::mean_squared_difference})
    EXPECT_EQ(
        make_measure(metric, {}, chosen_instruction_set(), std::make_shared<EmulatedGpu>())
            ->device_memory(),
        0U);
}

/// The kernel alone: counts, not what is made of them.
TEST(GpuMeasureTest, JointCountsAreThoseOfALoop) {
  const auto gpu = std::make_shared<EmulatedGpu>();
  const auto stream = std::make_shared<GpuStream>(gpu);
  constexpr int bins = 7;
  for (const std::size_t voxels : {1U, 15U, 16U, 17U, 4099U, 20000U})
    for (const int copies : {0, 1, 3})
      for (const int parts : {1, 2, 5}) {
        std::vector<std::uint8_t> one(voxels);
        std::vector<std::uint8_t> other(voxels);
        std::vector<std::uint32_t> expected(bins * bins, 0);
        for (std::size_t i = 0; i < voxels; ++i) {
          one[i] = static_cast<std::uint8_t>(i * i % 31 < 20 ? 0 : i % bins);
          other[i] = static_cast<std::uint8_t>(i / 100 % bins);
          ++expected[one[i] * std::size_t{bins} + other[i]];
        }
        const GpuArray<std::uint8_t> rows(stream, std::span<const std::uint8_t>(one));
        const GpuArray<std::uint8_t> columns(stream, std::span<const std::uint8_t>(other));
        const std::vector<const std::uint8_t*> both{rows.data(), columns.data()};
        const GpuArray<const std::uint8_t*> images(stream, std::span(both));
        const std::vector<GpuPair> pair{{0, 1}};
        const GpuArray<GpuPair> pairs(stream, std::span(pair));
        const GpuArray<std::uint32_t> joint(stream, expected.size());
        joint.clear();
        stream->run(JointCountsJob{
            images.data(), pairs.data(), 1, voxels, bins, copies, parts, joint.data()});
        std::vector<std::uint32_t> counted(expected.size());
        joint.download(counted);
        EXPECT_EQ(counted, expected) << voxels << " voxels, " << copies << " copies, " << parts;
      }
}

TEST(GpuPairsTest, CoverEveryCellOnceAndKeepNeighboursTogether) {
  const auto pairs = pairs_of(5, 9, Cells::all);
  std::vector<int> seen(45, 0);
  for (const GpuPair& pair : pairs)
    ++seen[static_cast<std::size_t>(pair.row * 9 + pair.column - 5)];
  EXPECT_EQ(seen, std::vector<int>(45, 1));
  EXPECT_EQ(pairs_of(8, 8, Cells::upper).size(), 36U);
  for (std::size_t four = 0; four < 16; four += 4) {
    EXPECT_EQ(pairs[four].row / 2, pairs[four + 3].row / 2);
    EXPECT_EQ((pairs[four].column - 5) / 2, (pairs[four + 3].column - 5) / 2);
  }
}

TEST(GpuPairsTest, PiecesCoverAllPairsWhateverAPairTakes) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{1} << 26U, std::size_t{1} << 40U}) {
    std::size_t next = 0;
    int expected_stream = 0;
    in_pieces(5, bytes, [&](std::size_t first, std::size_t pairs, int stream) {
      EXPECT_EQ(first, next);
      EXPECT_EQ(stream, expected_stream);
      next += pairs;
      expected_stream = 1 - expected_stream;
    });
    EXPECT_EQ(next, 5U);
  }
}

}  // namespace
}  // namespace proxytune::similarity
