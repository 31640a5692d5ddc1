#include "proxytune/similarity/mutual_information.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/random.h"

#include "tests/reference/reference_numbers.h"
#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

using imaging::view;

double compare(Measure& measure, const imaging::Volume& one, const imaging::Volume& other) {
  return measure.compare(*measure.prepare(view(one)), *measure.prepare(view(other)));
}

/// Eq. 1 as it stands.
double textbook(const QuantisedImage& one, const QuantisedImage& other) {
  std::map<std::pair<int, int>, double> joint;
  std::map<int, double> rows;
  std::map<int, double> columns;
  const auto voxels = one.channels[0].size();
  for (std::size_t v = 0; v < voxels; ++v) {
    const int row = one.channels[0][v];
    const int column = other.channels[0][v];
    joint[{row, column}] += 1.0 / static_cast<double>(voxels);
    rows[row] += 1.0 / static_cast<double>(voxels);
    columns[column] += 1.0 / static_cast<double>(voxels);
  }
  double sum = 0;
  for (const auto& [cell, p] : joint)
    sum += p * std::log(p / (rows[cell.first] * columns[cell.second]));
  return sum;
}

TEST(MutualInformationTest, OfAVectorWithItselfIsItsEntropy) {
  MutualInformation measure(64);
  const auto volume = test::texture(1);
  EXPECT_NEAR(compare(measure, volume, volume), entropy(quantise(view(volume), 64)), 1e-12);
}

TEST(MutualInformationTest, IsSymmetricToTheLastBit) {
  MutualInformation measure(32);
  for (int seed = 1; seed < 8; ++seed) {
    const auto one = test::texture(seed);
    const auto other = test::blend(one, test::texture(seed + 10));
    EXPECT_EQ(compare(measure, one, other), compare(measure, other, one));
  }
}

TEST(MutualInformationTest, DoesNotDependOnTheOrderOfVoxels) {
  MutualInformation measure(64);
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  auto shuffled_one = one;
  auto shuffled_other = other;
  const auto order =
      core::Random(core::RandomKey(5)).permutation(static_cast<int>(one.voxels.size()));
  for (std::size_t v = 0; v < order.size(); ++v) {
    shuffled_one.voxels[v] = one.voxels[static_cast<std::size_t>(order[v])];
    shuffled_other.voxels[v] = other.voxels[static_cast<std::size_t>(order[v])];
  }
  EXPECT_EQ(compare(measure, one, other), compare(measure, shuffled_one, shuffled_other));
}

TEST(MutualInformationTest, DoesNotFeelScaleAndShift) {
  MutualInformation measure(16);
  const auto one = test::texture(1);
  auto other = test::blend(one, test::texture(2));
  const double before = compare(measure, one, other);
  for (float& value : other.voxels)
    value = value * 4 - 1;
  EXPECT_EQ(compare(measure, one, other), before);
}

TEST(MutualInformationTest, EqualsTheTextbook) {
  for (const int bins : {2, 7, 64, 65, 256}) {
    MutualInformation measure(bins);
    const auto one = test::texture(1);
    const auto other = test::blend(one, test::texture(2));
    EXPECT_NEAR(compare(measure, one, other),
                textbook(quantise(view(one), bins), quantise(view(other), bins)),
                1e-12)
        << bins;
  }
}

TEST(MutualInformationTest, EqualsNumpysHistogram) {
  const auto numbers = test::reference_numbers("similarity_reference");
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  MutualInformation coarse(16);
  MutualInformation fine(64);
  EXPECT_NEAR(compare(coarse, one, other), numbers.at("mutual_information_16"), 1e-12);
  EXPECT_NEAR(compare(fine, one, other), numbers.at("mutual_information_64"), 1e-12);
  EXPECT_NEAR(compare(fine, one, one), numbers.at("entropy_64"), 1e-12);
}

TEST(MutualInformationTest, WithAConstantImageIsZero) {
  MutualInformation measure(64);
  const auto flat = test::filled({5, 5, 5}, 3);
  EXPECT_EQ(compare(measure, flat, flat), 0.0);
  EXPECT_EQ(compare(measure, flat, test::texture(1, {5, 5, 5})), 0.0);
}

TEST(MutualInformationTest, OfOneVoxelIsZero) {
  MutualInformation measure(64);
  EXPECT_EQ(compare(measure, test::filled({1, 1, 1}, 2), test::filled({1, 1, 1}, 5)), 0.0);
}

TEST(MutualInformationTest, AveragesOverChannels) {
  MutualInformation measure(64);
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  const double expected = (compare(measure, one, other) + compare(measure, other, other)) / 2;
  EXPECT_DOUBLE_EQ(
      compare(measure, test::two_channels(one, other), test::two_channels(other, other)),
      expected);
}

TEST(MutualInformationTest, RefusesImagesOfUnequalShapeOrChannels) {
  MutualInformation measure(64);
  const auto one = test::texture(1);
  EXPECT_THROW(compare(measure, one, test::texture(1, {12, 13, 14})), core::DataError);
  EXPECT_THROW(compare(measure, one, test::two_channels(one, one)), core::DataError);
}

TEST(QuantiseTest, ClosesTheLastInterval) {
  imaging::Volume ramp = test::filled({1, 1, 5}, 0);
  ramp.voxels = {-2, -1, 0, 1, 2};
  const auto codes = quantise(view(ramp), 4).channels[0];
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 1, 2, 3, 3}));
}

}  // namespace
}  // namespace proxytune::similarity
