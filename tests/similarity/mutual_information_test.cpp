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
  const auto voxels = one.channels[0].codes.size();
  for (std::size_t v = 0; v < voxels; ++v) {
    const int row = one.channels[0].codes[v];
    const int column = other.channels[0].codes[v];
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

double textbook_entropy(const std::vector<int>& codes, bool miller_madow) {
  std::map<int, double> counts;
  for (const int code : codes)
    ++counts[code];
  const auto voxels = static_cast<double>(codes.size());
  double sum = miller_madow ? static_cast<double>(counts.size() - 1) / (2 * voxels) : 0.0;
  for (const auto& [code, count] : counts)
    sum -= count / voxels * std::log(count / voxels);
  return sum;
}

TEST(MutualInformationTest, EqualsTheTextbookInItsOtherForms) {
  const auto one = test::texture(1);
  const auto other = test::blend(one, test::texture(2));
  for (const int bins : {7, 64, 200}) {
    const auto rows = quantise(view(one), bins).channels[0].codes;
    const auto columns = quantise(view(other), bins).channels[0].codes;
    std::vector<int> joint;
    for (std::size_t v = 0; v < rows.size(); ++v)
      joint.push_back(rows[v] * bins + columns[v]);
    for (const bool miller_madow : {false, true}) {
      const double h_rows = textbook_entropy({rows.begin(), rows.end()}, miller_madow);
      const double h_columns = textbook_entropy({columns.begin(), columns.end()}, miller_madow);
      const double information = h_rows + h_columns - textbook_entropy(joint, miller_madow);
      MutualInformation plain(bins, miller_madow, false);
      MutualInformation normalised(bins, miller_madow, true);
      EXPECT_NEAR(compare(plain, one, other), information, 1e-12) << bins;
      EXPECT_NEAR(
          compare(normalised, one, other), 2 * information / (h_rows + h_columns), 1e-12)
          << bins;
    }
  }
}

TEST(MutualInformationTest, MillerAndMadowTakeOffTheBiasOfIndependentImages) {
  const imaging::Shape shape{32, 32, 32};
  imaging::Volume noise[2] = {test::filled(shape, 0), test::filled(shape, 0)};
  core::Random random(core::RandomKey(1));
  for (imaging::Volume& volume : noise)
    for (float& value : volume.voxels)
      value = static_cast<float>(random.uniform());
  MutualInformation plain(64);
  MutualInformation corrected(64, true);
  EXPECT_GT(compare(plain, noise[0], noise[1]), 0.05);
  EXPECT_NEAR(compare(corrected, noise[0], noise[1]), 0, 0.005);
}

// A private table's count has two bytes.
TEST(MutualInformationTest, CountsMoreVoxelsThanACounterHolds) {
  imaging::Volume volume = test::filled({90, 90, 90}, 0);
  volume.voxels.back() = 1;
  MutualInformation measure(64);
  EXPECT_NEAR(compare(measure, volume, volume), entropy(quantise(view(volume), 64)), 1e-12);
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
  const auto codes = quantise(view(ramp), 4).channels[0].codes;
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 1, 2, 3, 3}));
}

}  // namespace
}  // namespace proxytune::similarity
