#include "proxytune/ops/softmax_dice_loss.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

/// MONAI's formulas in stock operations.
Tensor composed(const Tensor& logits, const Tensor& labels, const SoftmaxDiceOptions& options) {
  const Tensor target = labels.to(torch::kInt64);
  Tensor p = torch::softmax(logits, 1);
  Tensor g = torch::one_hot(target, logits.size(1)).permute({0, 4, 1, 2, 3}).to(p.dtype());
  if (!options.background) {
    p = p.narrow(1, 1, p.size(1) - 1);
    g = g.narrow(1, 1, g.size(1) - 1);
  }
  const std::vector<std::int64_t> voxels{2, 3, 4};
  const Tensor above = 2 * (p * g).sum(voxels) + options.smooth;
  const Tensor below = g.sum(voxels) + p.sum(voxels) + options.smooth;
  const Tensor dice = (1 - above / below).mean();
  return options.cross_entropy ? dice + torch::cross_entropy_loss(logits, target) : dice;
}

struct Problem {
  Tensor logits;
  Tensor labels;
};

Problem problem(std::int64_t classes, c10::IntArrayRef grid, torch::ScalarType type) {
  const std::int64_t voxels = c10::multiply_integers(grid);
  const Tensor index = torch::arange(2 * classes * voxels, torch::kFloat64);
  const Tensor logits =
      (3 * torch::sin(index * 0.77)).view({2, classes, grid[0], grid[1], grid[2]}).to(type);
  const Tensor labels = (torch::arange(2 * voxels) * 7 / 3 % classes)
                            .view({2, grid[0], grid[1], grid[2]})
                            .to(torch::kUInt8);
  return {logits, labels};
}

void compare(const Problem& of, const SoftmaxDiceOptions& options, double tolerance) {
  const Tensor ours = of.logits.detach().requires_grad_();
  const Tensor theirs = of.logits.to(torch::kFloat64).detach().requires_grad_();
  const Tensor our_loss = softmax_dice_loss(ours, of.labels, options);
  const Tensor their_loss = composed(theirs, of.labels, options);
  (3 * our_loss).backward();
  (3 * their_loss).backward();
  EXPECT_NEAR(our_loss.item<double>(), their_loss.item<double>(), tolerance);
  const double largest = theirs.grad().abs().max().item<double>();
  EXPECT_LE((ours.grad() - theirs.grad()).abs().max().item<double>(), tolerance * largest)
      << of.logits.sizes();
}

const SoftmaxDiceOptions all_options[] = {
    {}, {.cross_entropy = true}, {.background = false}, {true, false, 0.5}};

// Voxels below, at and above a block, dividing the lanes and not.
TEST(SoftmaxDiceLossTest, EqualsTheStockOperationsForAnyClassesLayoutAndSize) {
  for (const std::int64_t classes : {2, 3, 4, 5, 14})
    for (const std::vector<std::int64_t>& grid :
         std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {3, 5, 7}, {8, 8, 4}, {9, 7, 11}})
      for (const SoftmaxDiceOptions& options : all_options) {
        const Problem of = problem(classes, grid, torch::kFloat32);
        compare(of, options, 3e-6);
        compare({channels_last(of.logits), of.labels}, options, 3e-6);
      }
}

TEST(SoftmaxDiceLossTest, EqualsTheStockOperationsInDouble) {
  for (const std::int64_t classes : {2, 3, 6})
    for (const SoftmaxDiceOptions& options : all_options)
      compare(problem(classes, {9, 7, 11}, torch::kFloat64), options, 1e-12);
}

TEST(SoftmaxDiceLossTest, OfOddsIsThatOfTwoLogitsThatFarApart) {
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64})
    for (const std::vector<std::int64_t>& grid :
         std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {3, 5, 7}, {9, 7, 11}})
      for (const SoftmaxDiceOptions& options : all_options) {
        const Problem of = problem(2, grid, type);
        const Tensor logits = of.logits.to(torch::kFloat64).detach().requires_grad_();
        composed(logits, of.labels, options).backward();
        const Tensor odds =
            (of.logits.narrow(1, 1, 1) - of.logits.narrow(1, 0, 1)).detach().requires_grad_();
        const Tensor loss = softmax_dice_loss_of_odds(odds, of.labels, options);
        loss.backward();
        EXPECT_NEAR(loss.item<double>(),
                    softmax_dice_loss(of.logits, of.labels, options).item<double>(),
                    1e-6);
        const Tensor wanted = logits.grad().narrow(1, 1, 1);
        EXPECT_LE((odds.grad() - wanted).abs().max().item<double>(),
                  3e-6 * wanted.abs().max().item<double>())
            << grid;
      }
}

TEST(SoftmaxDiceLossTest, OfOddsTakesOneChannelOnly) {
  const Tensor labels = torch::zeros({2, 3, 4, 5}, torch::kUInt8);
  EXPECT_THROW(softmax_dice_loss_of_odds(torch::zeros({2, 2, 3, 4, 5}), labels), c10::Error);
  EXPECT_THROW(softmax_dice_loss_of_odds(torch::zeros({2, 1, 3, 4, 6}), labels), c10::Error);
}

TEST(SoftmaxDiceLossTest, OfOneClassIsNoughtAndHasNoGradient) {
  const Tensor logits = torch::rand({2, 1, 3, 4, 5}).requires_grad_();
  const Tensor loss = softmax_dice_loss(logits, torch::zeros({2, 3, 4, 5}, torch::kUInt8));
  EXPECT_NEAR(loss.item<double>(), 0, 1e-6);
  loss.backward();
  EXPECT_LE(logits.grad().abs().max().item<float>(), 1e-9F);
}

TEST(SoftmaxDiceLossTest, IsNotANumberForLogitsThatAreNone) {
  Problem of = problem(3, {4, 5, 6}, torch::kFloat32);
  of.logits[1][2][3][1][1] = std::nan("");
  EXPECT_TRUE(std::isnan(softmax_dice_loss(of.logits, of.labels).item<double>()));
  Problem two = problem(2, {4, 5, 6}, torch::kFloat32);
  two.logits[1][1][3][1][1] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan(softmax_dice_loss(two.logits, two.labels).item<double>()));
  const Tensor odds = two.logits.narrow(1, 1, 1);
  EXPECT_TRUE(std::isnan(softmax_dice_loss_of_odds(odds, two.labels).item<double>()));
}

TEST(SoftmaxDiceLossTest, TakesMinusInfinityForAClassThatIsNotThere) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const std::int64_t classes : {2, 3, 5})
    for (const auto type : {torch::kFloat32, torch::kFloat64}) {
      SCOPED_TRACE(classes);
      const Problem of = problem(classes, {4, 5, 6}, type);
      const auto loss_with = [&](double first, double others, bool cross_entropy) {
        Tensor logits = of.logits.detach().clone();
        logits[1][0][3][1][1] = first;
        logits[1]
            .narrow(0, 1, classes - 1)
            .select(1, 3)
            .select(1, 1)
            .select(1, 1)
            .fill_(others);
        logits.requires_grad_();
        const Tensor loss =
            softmax_dice_loss(logits, of.labels, {.cross_entropy = cross_entropy});
        loss.backward();
        return std::pair{loss.item<double>(), logits.grad()};
      };
      const auto [loss, gradient] = loss_with(-infinity, 1, false);
      const auto [far_below, close_gradient] = loss_with(-200, 1, false);
      EXPECT_NEAR(loss, far_below, 1e-12);
      EXPECT_LE((gradient - close_gradient).abs().max().item<double>(), 1e-12);
      EXPECT_TRUE(std::isnan(loss_with(infinity, 1, false).first));
      EXPECT_TRUE(std::isnan(loss_with(-infinity, -infinity, false).first));
      of.labels[1][3][1][1] = 0;
      EXPECT_EQ(loss_with(-infinity, 1, true).first, infinity);
    }
}

TEST(SoftmaxDiceLossTest, RefusesOtherLabelsAndNoClass) {
  const Tensor logits = torch::zeros({2, 1, 3, 4, 5});
  const Tensor labels = torch::zeros({2, 3, 4, 5}, torch::kUInt8);
  EXPECT_THROW(softmax_dice_loss(logits, labels.to(torch::kInt64)), c10::Error);
  EXPECT_THROW(softmax_dice_loss(logits, labels.narrow(1, 0, 2)), c10::Error);
  EXPECT_THROW(softmax_dice_loss(logits, labels, {.background = false}), c10::Error);
}

TEST(SoftmaxDiceLossTest, RefusesGradientsOfGradients) {
  const Tensor x = torch::rand({2, 2, 4, 5, 6}).requires_grad_();
  const Tensor y = softmax_dice_loss(x, torch::zeros({2, 4, 5, 6}, torch::kUInt8)).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), c10::Error);
  EXPECT_NO_THROW(torch::autograd::grad({y}, {x}, {}, true));
}

}  // namespace
}  // namespace proxytune::ops
