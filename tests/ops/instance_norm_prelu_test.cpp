#include "proxytune/ops/instance_norm_prelu.h"

#include <gtest/gtest.h>

namespace proxytune::ops {
namespace {

using torch::Tensor;

Tensor wave(c10::IntArrayRef shape, double step, torch::ScalarType type) {
  const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return (torch::sin(index * step) + 0.3).view(shape).to(type);
}

Tensor composed(const Tensor& input,
                const Tensor& slope,
                const std::optional<Tensor>& residual) {
  const Tensor normal = torch::instance_norm(input, {}, {}, {}, {}, true, 0.1, 1e-5, false);
  const Tensor active = torch::prelu(normal, slope);
  return residual ? active + *residual : active;
}

struct Results {
  Tensor output, input, slope, residual;  // gradients but for the first
};

template <class Operation>
Results run(const Operation& operation,
            const Tensor& input,
            const Tensor& slope,
            const std::optional<Tensor>& residual) {
  const Tensor x = input.detach().requires_grad_();
  const Tensor a = slope.detach().requires_grad_();
  std::optional<Tensor> r;
  if (residual)
    r = residual->detach().requires_grad_();
  const Tensor y = operation(x, a, r);
  (y * wave(y.sizes(), 0.61, y.scalar_type()).to(y.device())).sum().backward();
  return {y.detach(), x.grad(), a.grad(), r ? r->grad() : Tensor()};
}

void expect_close(const Tensor& ours, const Tensor& theirs, double tolerance) {
  const double largest = theirs.abs().max().item<double>();
  EXPECT_LE((ours - theirs).abs().max().item<double>(), tolerance * largest) << ours.sizes();
}

/// Against the stock operations in double.
void compare(const Tensor& input, bool with_residual, double tolerance) {
  const torch::ScalarType type = input.scalar_type();
  const Tensor slope = torch::full({1}, 0.2, type);
  std::optional<Tensor> residual;
  if (with_residual)
    residual = wave(input.sizes(), 0.43, type);
  const auto fused = [](const Tensor& x, const Tensor& a, const std::optional<Tensor>& r) {
    return instance_norm_prelu(x, a, r);
  };
  const Results ours = run(fused, input, slope, residual);
  if (residual)
    residual = residual->to(torch::kFloat64);
  const Results theirs =
      run(composed, input.to(torch::kFloat64), slope.to(torch::kFloat64), residual);
  EXPECT_EQ(ours.output.strides(), input.strides());
  expect_close(ours.output, theirs.output, tolerance);
  expect_close(ours.input, theirs.input, tolerance);
  expect_close(ours.slope, theirs.slope, tolerance);
  if (with_residual)
    expect_close(ours.residual, theirs.residual, tolerance);
}

// Channels below, at and above the kernels' lanes, dividing them and not. (Two voxels would
// have no gradient but rounding.)
TEST(InstanceNormPreluTest, EqualsTheStockOperationsForAnyChannelsLayoutAndSize) {
  for (const std::int64_t channels : {1, 3, 16, 33, 64})
    for (const std::vector<std::int64_t>& grid :
         std::vector<std::vector<std::int64_t>>{{1, 2, 3}, {3, 5, 7}, {9, 7, 8}})
      for (const bool residual : {false, true}) {
        const Tensor input =
            wave({2, channels, grid[0], grid[1], grid[2]}, 0.77, torch::kFloat32);
        compare(input, residual, 1e-5);
        compare(channels_last(input), residual, 1e-5);
      }
}

TEST(InstanceNormPreluTest, EqualsTheStockOperationsInDouble) {
  for (const std::int64_t channels : {1, 3, 16, 64})
    compare(channels_last(wave({2, channels, 5, 7, 9}, 0.77, torch::kFloat64)), true, 1e-11);
}

// Between its roundings at either end, the arithmetic is that of float32.
TEST(InstanceNormPreluTest, TakesBfloat16WithAFloatSlope) {
  for (const std::int64_t channels : {1, 3, 16, 33})
    for (const bool with_residual : {false, true}) {
      const Tensor slope = torch::full({1}, 0.2);
      const Tensor narrow = channels_last(wave({2, channels, 3, 5, 7}, 0.77, torch::kFloat32))
                                .to(torch::kBFloat16);
      std::optional<Tensor> residual;
      if (with_residual)
        residual = wave(narrow.sizes(), 0.43, torch::kFloat32).to(torch::kBFloat16);
      const auto fused = [](const Tensor& x, const Tensor& a, const std::optional<Tensor>& r) {
        return instance_norm_prelu(x, a, r);
      };
      const Results ours = run(fused, narrow, slope, residual);
      EXPECT_EQ(ours.output.scalar_type(), torch::kBFloat16);
      EXPECT_EQ(ours.slope.scalar_type(), torch::kFloat32);
      if (residual)
        residual = residual->to(torch::kFloat64);
      const Results theirs =
          run(composed, narrow.to(torch::kFloat64), slope.to(torch::kFloat64), residual);
      expect_close(ours.output, theirs.output, 5e-3);
      expect_close(ours.input, theirs.input, 1e-2);
      expect_close(ours.slope, theirs.slope, 1e-2);
    }
}

TEST(InstanceNormPreluTest, DoesNotCancelFarFromZero) {
  const Tensor input = channels_last(wave({1, 4, 16, 16, 16}, 0.77, torch::kFloat32) + 1000);
  const Tensor slope = torch::full({1}, 0.2);
  const Tensor ours = instance_norm_prelu(input, slope);
  const Tensor exact =
      composed(input.to(torch::kFloat64), slope.to(torch::kFloat64), std::nullopt);
  expect_close(ours, exact, 1e-4);  // the rounding of the mean itself: 1000 * 2^-24
}

TEST(InstanceNormPreluTest, HasNoGradientWhereTheInputIsConstant) {
  const Tensor input = torch::full({1, 2, 4, 4, 4}, 3.0F).requires_grad_();
  const Tensor output = instance_norm_prelu(input, torch::full({1}, 0.2F));
  EXPECT_EQ(output.abs().max().item<float>(), 0.0F);
  output.sum().backward();
  EXPECT_TRUE(torch::isfinite(input.grad()).all().item<bool>());
}

TEST(InstanceNormPreluTest, GivesASampleTheSameBitsWhateverItsNeighbours) {
  const Tensor slope = torch::full({1}, 0.2F);
  for (const std::int64_t channels : {3, 16, 40}) {
    const Tensor batch = channels_last(wave({3, channels, 9, 9, 9}, 0.77, torch::kFloat32));
    const Tensor together = instance_norm_prelu(batch, slope);
    for (std::int64_t n = 0; n < 3; ++n)
      EXPECT_TRUE(torch::equal(together.narrow(0, n, 1),
                               instance_norm_prelu(batch.narrow(0, n, 1), slope)))
          << channels << " channels, sample " << n;
  }
}

TEST(InstanceNormPreluTest, TakesSlicesAndExpandedGradients) {
  const Tensor wide = channels_last(wave({2, 8, 4, 5, 6}, 0.77, torch::kFloat32));
  const Tensor slice = wide.narrow(1, 2, 3);
  const Tensor slope = torch::full({1}, 0.2F);
  expect_close(
      instance_norm_prelu(slice, slope), instance_norm_prelu(slice.contiguous(), slope), 1e-6);
  const Tensor leaf = wide.detach().requires_grad_();
  instance_norm_prelu(leaf, slope).sum().backward();
  EXPECT_TRUE(leaf.grad().defined());
}

TEST(InstanceNormPreluTest, RefusesOneVoxelAndSeveralSlopes) {
  EXPECT_THROW(instance_norm_prelu(torch::ones({2, 4, 1, 1, 1}), torch::ones({1})), c10::Error);
  EXPECT_THROW(instance_norm_prelu(torch::ones({2, 4, 2, 2, 2}), torch::ones({4})), c10::Error);
}

TEST(InstanceNormPreluTest, EqualsTheProcessorsOnAGpu_CUDA) {
  if (!torch::hasCUDA())
    GTEST_SKIP() << "there is no GPU, or this build is without PROXYTUNE_CUDA";
  for (const std::int64_t channels : {1, 3, 16, 33, 64}) {
    const Tensor input = channels_last(wave({2, channels, 17, 19, 23}, 0.77, torch::kFloat32));
    const Tensor slope = torch::full({1}, 0.2F);
    const Tensor residual = wave(input.sizes(), 0.43, torch::kFloat32);
    const auto fused = [](const Tensor& x, const Tensor& a, const std::optional<Tensor>& r) {
      return instance_norm_prelu(x, a, r);
    };
    const Results there = run(fused, input.cuda(), slope.cuda(), residual.cuda());
    const Results here = run(fused, input, slope, residual);
    expect_close(there.output.cpu(), here.output, 1e-5);
    expect_close(there.input.cpu(), here.input, 1e-5);
    expect_close(there.slope.cpu(), here.slope, 1e-5);
    expect_close(there.residual.cpu(), here.residual, 1e-5);
  }
}

TEST(ChannelsLastTest, SetsTheStridesWhereTheLayoutsCoincide) {
  const Tensor one = channels_last(torch::rand({2, 1, 3, 4, 5}));
  EXPECT_EQ(one.strides(), (std::vector<std::int64_t>{60, 1, 20, 5, 1}));
  const Tensor voxel = channels_last(torch::rand({4, 3, 1, 1, 1}));
  EXPECT_EQ(voxel.strides(), (std::vector<std::int64_t>{3, 1, 3, 3, 3}));
  const Tensor plain = torch::rand({2, 3, 4, 4, 4});
  EXPECT_TRUE(torch::equal(channels_last(plain), plain));
}

TEST(InstanceNormPreluTest, RefusesGradientsOfGradients) {
  const Tensor x = torch::rand({2, 2, 4, 5, 6}).requires_grad_();
  const Tensor y = instance_norm_prelu(x, torch::ones({1})).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), c10::Error);
  EXPECT_NO_THROW(torch::autograd::grad({y}, {x}, {}, true));
}

}  // namespace
}  // namespace proxytune::ops
