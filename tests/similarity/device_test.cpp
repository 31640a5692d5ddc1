#include "proxytune/similarity/device.h"

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/similarity/scans.h"

namespace proxytune::similarity {
namespace {

using test::expect_the_processors;
using test::scans;

constexpr Metric both_metrics[] = {Metric::mutual_information,
                                   Metric::normalized_cross_correlation};

TEST(DeviceTest, TheProcessorNeedsNoGpu) {
  EXPECT_EQ(choose_gpu({.device = Device::cpu}, {}), nullptr);
  EXPECT_EQ(name_of(nullptr), "the processor");
}

TEST(DeviceTest, AskingForAGpuWhereThereIsNoneIsRefusedWithASentence) {
  if (choose_gpu({}, {}))
    GTEST_SKIP() << "there is a GPU here";
  try {
    choose_gpu({.device = Device::cuda}, {});
    FAIL();
  } catch (const core::ConfigurationError& error) {
    EXPECT_EQ(std::string(error.what()).find("similarity.device is cuda, but "), 0U);
  }
}

/// Null where there is none.
std::shared_ptr<Gpu> real_gpu() {
  return choose_gpu({}, {});
}

const char* const skipped = "there is no GPU, or this build is without PROXYTUNE_CUDA";

TEST(GpuTest, GivesTheProcessorsBitsForEveryShape_CUDA) {
  const auto gpu = real_gpu();
  if (!gpu)
    GTEST_SKIP() << skipped;
  for (const Metric metric : both_metrics)
    for (const imaging::Shape& shape : {imaging::Shape{1, 1, 1},
                                        imaging::Shape{2, 3, 1},
                                        imaging::Shape{9, 9, 9},
                                        imaging::Shape{33, 20, 47},
                                        imaging::Shape{64, 64, 64},
                                        imaging::Shape{30, 101, 130}})
      expect_the_processors(metric, {}, scans(5, shape), gpu);
}

TEST(GpuTest, LocalNccGivesTheProcessorsBitsUnderEveryConvention_CUDA) {
  const auto gpu = real_gpu();
  if (!gpu)
    GTEST_SKIP() << skipped;
  for (const int window : {3, 5, 7, 9, 11, 13, 15, 17, 19, 21})
    for (const FlatWindows flat : {FlatWindows::zero, FlatWindows::one, FlatWindows::skip})
      for (const Border border : {Border::zero_padded, Border::interior})
        expect_the_processors(Metric::normalized_cross_correlation,
                              {.window = window, .flat_windows = flat, .border = border},
                              scans(3, {22, 23, 51}),
                              gpu);
}

TEST(GpuTest, MutualInformationGivesTheProcessorsBitsForAllBins_CUDA) {
  const auto gpu = real_gpu();
  if (!gpu)
    GTEST_SKIP() << skipped;
  for (const int bins : {2, 3, 64, 127, 128, 200, 256})
    expect_the_processors(Metric::mutual_information,
                          {.bins = bins, .miller_madow = bins == 3, .normalised = bins > 200},
                          scans(3, {33, 20, 47}),
                          gpu);
}

TEST(GpuTest, GivesTheProcessorsBitsForSeveralChannelsAndConstantImages_CUDA) {
  const auto gpu = real_gpu();
  if (!gpu)
    GTEST_SKIP() << skipped;
  const imaging::Shape shape{12, 11, 21};
  const auto flat = test::filled(shape, 3);
  const auto volumes = scans(3, shape);
  for (const Metric metric : both_metrics)
    expect_the_processors(metric,
                          {},
                          {test::two_channels(volumes[0], volumes[1]),
                           test::two_channels(volumes[2], flat),
                           test::two_channels(flat, flat)},
                          gpu);
}

TEST(GpuTest, ALargeTaskGivesTheProcessorsBits_CUDA) {
  const auto gpu = real_gpu();
  if (!gpu)
    GTEST_SKIP() << skipped;
  for (const Metric metric : both_metrics)
    expect_the_processors(metric, {}, scans(70, {20, 49, 33}), gpu);
}

}  // namespace
}  // namespace proxytune::similarity
