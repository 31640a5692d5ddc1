#include "proxytune/training/loss.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/core/random.h"

#include "tests/reference/loss_reference.h"

namespace proxytune::training {
namespace {

struct Shape {
  std::size_t batch = 0;
  std::size_t voxels = 0;
  int classes = 0;
};

/// Logits and gradient are (batch, voxel, class), labels (batch, voxel).
struct Problem {
  Shape shape;
  std::vector<float> logits;
  std::vector<std::uint8_t> labels;
  std::vector<float> gradient;

  double loss(Loss kind) {
    const auto batch = static_cast<std::int64_t>(shape.batch);
    const auto voxels = static_cast<std::int64_t>(shape.voxels);
    torch::Tensor leaf =
        torch::from_blob(logits.data(), {batch, 1, 1, voxels, shape.classes}, torch::kFloat32)
            .permute({0, 4, 1, 2, 3})
            .clone()
            .requires_grad_();
    const torch::Tensor value = segmentation_loss(
        kind, leaf, torch::from_blob(labels.data(), {batch, 1, 1, voxels}, torch::kUInt8));
    value.backward();
    const torch::Tensor of_logits = leaf.grad().permute({0, 2, 3, 4, 1}).contiguous();
    gradient.assign(of_logits.const_data_ptr<float>(),
                    of_logits.const_data_ptr<float>() + of_logits.numel());
    return value.item<double>();
  }
};

// The same numbers as in loss_reference.py.
Problem reference_problem(int classes) {
  Problem problem{{2, 24, classes}, {}, {}, {}};
  for (int n = 0; n < 2; ++n)
    for (int v = 0; v < 24; ++v) {
      for (int c = 0; c < classes; ++c)
        problem.logits.push_back(static_cast<float>((n * 17 + v * 7 + c * 5) % 19 - 9) / 4);
      problem.labels.push_back(n == 1 ? std::uint8_t{0}
                                      : static_cast<std::uint8_t>((v * v + v / 3) % classes));
    }
  return problem;
}

template <std::size_t N>
void expect_reference(Loss kind, int classes, double value, const double (&gradient)[N]) {
  Problem problem = reference_problem(classes);
  EXPECT_NEAR(problem.loss(kind), value, 1e-7);
  ASSERT_EQ(problem.gradient.size(), N);
  for (std::size_t i = 0; i < N; ++i)
    EXPECT_NEAR(problem.gradient[i], gradient[i], 2e-8) << i;
}

TEST(SegmentationLossTest, DiceIsMonaisWithItsGradient) {
  expect_reference(Loss::dice, 2, reference::dice_2, reference::dice_2_gradient);
  expect_reference(Loss::dice, 4, reference::dice_4, reference::dice_4_gradient);
}

TEST(SegmentationLossTest, DiceWithCrossEntropyIsMonaisWithItsGradient) {
  expect_reference(Loss::dice_ce, 2, reference::dice_ce_2, reference::dice_ce_2_gradient);
  expect_reference(Loss::dice_ce, 4, reference::dice_ce_4, reference::dice_ce_4_gradient);
}

Problem random_problem(std::size_t voxels, int classes) {
  Problem problem{{2, voxels, classes}, {}, {}, {}};
  core::Random random(core::RandomKey(5));
  for (std::size_t i = 0; i < 2 * voxels; ++i) {
    for (int c = 0; c < classes; ++c)
      problem.logits.push_back(static_cast<float>(2 * random.normal()));
    problem.labels.push_back(
        static_cast<std::uint8_t>(random.index(static_cast<std::uint64_t>(classes))));
  }
  return problem;
}

TEST(SegmentationLossTest, GradientIsTheDifferenceQuotient) {
  for (const Loss kind : {Loss::dice, Loss::dice_ce}) {
    Problem problem = random_problem(7, 3);
    problem.loss(kind);
    const std::vector<float> gradient = problem.gradient;
    for (std::size_t i = 0; i < problem.logits.size(); ++i) {
      const float at = problem.logits[i];
      problem.logits[i] = at + 0.01F;
      const double above = problem.loss(kind);
      problem.logits[i] = at - 0.01F;
      const double below = problem.loss(kind);
      problem.logits[i] = at;
      EXPECT_NEAR((above - below) / 0.02, gradient[i], 2e-5) << i;
    }
  }
}

/// Plain double-precision Dice over more voxels than one block, an odd number.
TEST(SegmentationLossTest, HoldsOverManyBlocks) {
  Problem problem = random_problem(1031, 3);
  double expected = 0;
  for (std::size_t n = 0; n < 2; ++n)
    for (int c = 0; c < 3; ++c) {
      double both = 0;
      double total = 0;
      for (std::size_t v = n * 1031; v < (n + 1) * 1031; ++v) {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k)
          sum += std::exp(static_cast<double>(problem.logits[v * 3 + k]));
        const double p =
            std::exp(static_cast<double>(problem.logits[v * 3 + static_cast<std::size_t>(c)])) /
            sum;
        const bool is = problem.labels[v] == c;
        both += is ? p : 0;
        total += p + (is ? 1 : 0);
      }
      expected += (1 - (2 * both + 1e-5) / (total + 1e-5)) / 6;
    }
  EXPECT_NEAR(problem.loss(Loss::dice), expected, 1e-6);
}

TEST(SegmentationLossTest, IsNoughtForACertainAndRightPrediction) {
  Problem problem{{1, 4, 2}, {90, -90, -90, 90, 90, -90, -90, 90}, {0, 1, 0, 1}, {}};
  EXPECT_NEAR(problem.loss(Loss::dice), 0, 1e-6);
  EXPECT_NEAR(problem.loss(Loss::dice_ce), 0, 1e-6);
  for (const float g : problem.gradient)
    EXPECT_NEAR(g, 0, 1e-6);
}

TEST(SegmentationLossTest, StaysFiniteForACertainAndWrongPrediction) {
  Problem problem{{1, 2, 2}, {1e30F, -1e30F, -300, 300}, {1, 0}, {}};
  EXPECT_TRUE(std::isfinite(problem.loss(Loss::dice)));
  for (const float g : problem.gradient)
    EXPECT_TRUE(std::isfinite(g));
}

TEST(SegmentationLossTest, IsNotANumberForLogitsThatAreNone) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (std::size_t where = 0; where < 6; ++where)
      for (const Loss kind : {Loss::dice, Loss::dice_ce}) {
        Problem problem{{1, 3, 2}, {0, 1, 2, 3, 4, 5}, {0, 1, 0}, {}};
        problem.logits[where] = bad;
        EXPECT_TRUE(std::isnan(problem.loss(kind))) << bad << " at " << where;
      }
}

}  // namespace
}  // namespace proxytune::training
