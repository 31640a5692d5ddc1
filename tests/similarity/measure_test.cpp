#include "proxytune/similarity/measure.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

using Prepared = std::vector<std::unique_ptr<PreparedImage>>;

/// Images that are neither equal nor unrelated, prepared.
Prepared some_images(const Measure& measure, int count, const imaging::Shape& shape) {
  Prepared prepared;
  for (int i = 0; i < count; ++i)
    prepared.push_back(measure.prepare(
        imaging::view(test::blend(test::texture(i + 1, shape), test::texture(77, shape)))));
  return prepared;
}

std::vector<const PreparedImage*> pointers(const Prepared& prepared) {
  std::vector<const PreparedImage*> images;
  for (const auto& image : prepared)
    images.push_back(image.get());
  return images;
}

std::vector<double> all_pairs(Measure& measure, const Prepared& prepared, Cells cells) {
  const auto images = pointers(prepared);
  std::vector<double> values(images.size() * images.size());
  measure.compare_all(images, images, cells, values);
  return values;
}

class MeasureTest : public testing::TestWithParam<Metric> {};

INSTANTIATE_TEST_SUITE_P(AllMetrics,
                         MeasureTest,
                         testing::Values(Metric::mutual_information,
                                         Metric::normalized_cross_correlation,
                                         Metric::global_cross_correlation,
                                         Metric::mean_squared_difference),
                         [](const auto& metric) { return core::to_string(metric.param); });

TEST_P(MeasureTest, EveryInstructionSetGivesTheSameBits) {
  for (const imaging::Shape& shape :
       {imaging::Shape{14, 13, 12}, imaging::Shape{9, 40, 35}, imaging::Shape{24, 70, 17}})
    for (const int window : {3, 5, 9, 11, 21})
      for (const Border border : {Border::zero_padded, Border::interior}) {
        if (border == Border::interior && window > 9)
          continue;
        SimilarityOptions options;
        options.bins = window * 12;  // below and above the longest stride
        options.window = window;
        options.border = border;
        const auto portable = make_measure(GetParam(), options, InstructionSet::portable);
        const auto expected =
            all_pairs(*portable, some_images(*portable, 3, shape), Cells::all);
        for (const InstructionSet set : {InstructionSet::avx2, InstructionSet::avx512})
          if (available(set)) {
            const auto measure = make_measure(GetParam(), options, set);
            EXPECT_EQ(all_pairs(*measure, some_images(*measure, 3, shape), Cells::all),
                      expected)
                << core::to_string(set) << " window " << window;
          }
      }
}

TEST_P(MeasureTest, APairsValueDoesNotDependOnItsCompany) {
  const auto measure = make_measure(GetParam(), {});
  const Prepared prepared = some_images(*measure, 11, {20, 41, 18});
  const auto together = all_pairs(*measure, prepared, Cells::all);
  EXPECT_EQ(all_pairs(*measure, prepared, Cells::upper), together);
  for (std::size_t row = 0; row < prepared.size(); ++row)
    for (std::size_t column = 0; column < prepared.size(); ++column)
      EXPECT_EQ(measure->compare(*prepared[row], *prepared[column]),
                together[row * prepared.size() + column]);
}

TEST_P(MeasureTest, IsSymmetricToTheLastBit) {
  const auto measure = make_measure(GetParam(), {});
  const auto values = all_pairs(*measure, some_images(*measure, 5, {12, 33, 34}), Cells::all);
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t column = 0; column < row; ++column)
      EXPECT_EQ(values[row * 5 + column], values[column * 5 + row]);
}

TEST_P(MeasureTest, SaysWhatAPreparedImageTakes) {
  const auto measure = make_measure(GetParam(), {});
  const std::size_t one = some_images(*measure, 1, {10, 10, 10})[0]->bytes();
  EXPECT_GE(one, 1000U);
  EXPECT_GE(some_images(*measure, 1, {20, 20, 20})[0]->bytes(), 3 * one);
}

TEST(UnitTest, OfAMeasuresValues) {
  SimilarityOptions options;
  EXPECT_EQ(unit_of(Metric::mutual_information, options), "nat");
  EXPECT_EQ(unit_of(Metric::mean_squared_difference, options), "intensity^2");
  options.normalised = true;
  EXPECT_EQ(unit_of(Metric::mutual_information, options), "1");
}

TEST(InstructionSetTest, TheEnvironmentForcesOneAndUnknownNamesAreRefused) {
  ::setenv("PROXYTUNE_INSTRUCTION_SET", "portable", 1);
  EXPECT_EQ(chosen_instruction_set(), InstructionSet::portable);
  ::setenv("PROXYTUNE_INSTRUCTION_SET", "", 1);
  EXPECT_TRUE(available(chosen_instruction_set()));
  ::setenv("PROXYTUNE_INSTRUCTION_SET", "neon", 1);
  EXPECT_THROW(chosen_instruction_set(), core::ConfigurationError);
  ::unsetenv("PROXYTUNE_INSTRUCTION_SET");
  EXPECT_TRUE(available(chosen_instruction_set()));
}

}  // namespace
}  // namespace proxytune::similarity
