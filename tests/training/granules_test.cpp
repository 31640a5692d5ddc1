#include "src/training/granules.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/random.h"

namespace proxytune::training {
namespace {

TEST(GranulesTest, CoverABatchWhateverTheRanks) {
  for (const int patches : {1, 2, 7, 8, 13})
    for (const int size : {1, 3, 8, 20})
      for (const int ranks : {1, 2, 3, 5, 30}) {
        const Granules granules = Granules::of_patches(patches, size, ranks);
        EXPECT_EQ(granules.count(), (patches + size - 1) / size);
        EXPECT_EQ(granules.first_patch(0), 0);
        EXPECT_EQ(granules.first_patch(granules.count()), patches);
        EXPECT_EQ(granules.first_of(0), 0);
        EXPECT_EQ(granules.first_of(ranks), granules.count());
        double weight = 0;
        int most = 0;
        for (int i = 0; i < granules.count(); ++i)
          weight += granules.weight(i);
        for (int rank = 0; rank < ranks; ++rank)
          most = std::max(most, granules.first_of(rank + 1) - granules.first_of(rank));
        EXPECT_NEAR(weight, 1, 1e-12);
        EXPECT_EQ(most, (granules.count() + ranks - 1) / ranks);
      }
}

TEST(GranulesTest, OfRanksAreOneEach) {
  const Granules granules = Granules::of_ranks(8, 3);
  EXPECT_EQ(granules.count(), 3);
  EXPECT_EQ(granules.first_patch(1), 2);
  EXPECT_EQ(granules.first_patch(2), 5);
  EXPECT_EQ(granules.first_of(2), 2);
  EXPECT_EQ(Granules::of_ranks(2, 5).count(), 2);
}

TEST(TreeTest, RanksGiveWholeStretches) {
  EXPECT_EQ(middle_of({0, 8}), 4);
  EXPECT_EQ(middle_of({0, 5}), 4);
  EXPECT_EQ(middle_of({4, 6}), 5);
  EXPECT_THAT(whole_stretches(8, {0, 4}), ::testing::ElementsAre(Stretch{0, 4}));
  EXPECT_THAT(whole_stretches(8, {3, 6}), ::testing::ElementsAre(Stretch{3, 4}, Stretch{4, 6}));
  EXPECT_THAT(whole_stretches(5, {4, 5}), ::testing::ElementsAre(Stretch{4, 5}));
  EXPECT_THAT(whole_stretches(5, {2, 2}), ::testing::IsEmpty());
  EXPECT_THAT(whole_stretches(1, {0, 1}), ::testing::ElementsAre(Stretch{0, 1}));
}

/// Numbers of very different sizes, whose sum depends on the order.
std::vector<float> gradient_of(int granule, std::size_t length) {
  core::Random random(core::RandomKey(1).with("granule").with(granule));
  std::vector<float> values(length);
  for (float& value : values)
    value = static_cast<float>(random.normal() * std::pow(10.0, random.uniform(-4, 4)));
  return values;
}

std::vector<float> sum_on(int ranks, int patches, int size, std::size_t length) {
  std::vector<float> result;
  comm::run_as_threads(ranks, [&](comm::Communicator& group) {
    const auto collectives = comm::host_collectives(group);
    const Granules granules = Granules::of_patches(patches, size, ranks);
    OrderedSum sum(length);
    std::vector<float> total(length);
    for (int again = 0; again < 2; ++again) {
      // As a network's: the gradient is made in `total` and taken from there.
      sum.compute(
          granules,
          group.rank(),
          [&](int granule, std::span<float> to) {
            std::ranges::copy(gradient_of(granule, length), total.begin());
            std::ranges::copy(total, to.begin());
          },
          total);
      if (ranks > 1) {
        sum.prepare(granules, group.rank());
        sum.combine(*collectives, total);
      }
    }
    const auto all = group.all_gather(std::as_bytes(std::span<const float>(total)));
    for (const auto& bytes : all)
      EXPECT_EQ(bytes, all.front());
    if (group.is_root())
      result = total;
  });
  return result;
}

TEST(OrderedSumTest, HasTheSameBitsOnAnyNumberOfRanks) {
  for (const auto& [patches, size] :
       {std::pair(8, 1), std::pair(7, 1), std::pair(13, 2), std::pair(3, 4)})
    for (const std::size_t length : {1U, 100U, 10001U}) {
      const std::vector<float> one = sum_on(1, patches, size, length);
      for (const int ranks : {2, 3, 4, 7})
        EXPECT_EQ(sum_on(ranks, patches, size, length), one) << ranks << " ranks";
    }
  // The order matters: of these numbers no other one gives the same bits.
  std::vector<float> in_a_row(10001, 0.0F);
  for (int granule = 0; granule < 8; ++granule)
    std::ranges::transform(
        in_a_row, gradient_of(granule, in_a_row.size()), in_a_row.begin(), std::plus());
  EXPECT_NE(sum_on(1, 8, 1, in_a_row.size()), in_a_row);
}

TEST(OrderedSumTest, OfNumbersGoesByTheSameTree) {
  for (const int count : {1, 2, 5, 8, 13}) {
    std::vector<std::vector<double>> numbers;
    for (int i = 0; i < count; ++i)
      numbers.push_back({std::ldexp(1.0, i), 1.0});
    EXPECT_THAT(ordered_sum(numbers),
                ::testing::ElementsAre(std::ldexp(1.0, count) - 1, count));
  }
}

}  // namespace
}  // namespace proxytune::training
