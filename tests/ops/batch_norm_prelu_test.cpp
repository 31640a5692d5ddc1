#include "proxytune/ops/batch_norm_prelu.h"

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

Tensor wave(c10::IntArrayRef shape, double step, torch::ScalarType type) {
  const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return (torch::sin(index * step) + 0.3).view(shape).to(type);
}

BatchNorm norm_of(std::int64_t channels, torch::ScalarType type) {
  return {(1 + 0.2 * wave({channels}, 0.9, type)).requires_grad_(),
          (0.2 * wave({channels}, 0.5, type)).requires_grad_(),
          torch::full({channels}, 0.25, type),
          torch::full({channels}, 2.0, type)};
}

Tensor composed(const Tensor& input,
                const BatchNorm& norm,
                const Tensor& slope,
                const std::optional<Tensor>& residual) {
  const Tensor normal = torch::batch_norm(input,
                                          norm.weight,
                                          norm.bias,
                                          norm.running_mean,
                                          norm.running_variance,
                                          true,
                                          0.1,
                                          1e-5,
                                          false);
  const Tensor active = torch::prelu(normal, slope);
  return residual ? active + *residual : active;
}

/// Output, gradients of input, weight, bias, slope (and residual), and both running moments.
template <class Operation>
std::vector<Tensor> run(const Operation& operation,
                        const Tensor& input,
                        bool with_residual,
                        torch::ScalarType type) {
  const Tensor x = input.detach().to(type).requires_grad_();
  const Tensor slope = torch::full({1}, 0.2, type).requires_grad_();
  const BatchNorm norm = norm_of(input.size(1), type);
  std::optional<Tensor> residual;
  if (with_residual)
    residual = wave(input.sizes(), 0.43, type).requires_grad_();
  const Tensor y = operation(x, norm, slope, residual);
  (y * wave(y.sizes(), 0.61, type)).sum().backward();
  std::vector<Tensor> results{y.detach(),
                              x.grad(),
                              norm.weight.grad(),
                              norm.bias.grad(),
                              slope.grad(),
                              norm.running_mean,
                              norm.running_variance};
  if (residual)
    results.push_back(residual->grad());
  return results;
}

/// Against the stock operations in double, contiguous.
void compare(const Tensor& input, bool with_residual, double tolerance) {
  const auto ours = run(
      [](const Tensor& x, const BatchNorm& norm, const Tensor& slope, const auto& residual) {
        return batch_norm_prelu(x, norm, slope, residual);
      },
      input,
      with_residual,
      input.scalar_type());
  const auto theirs = run(composed, input.contiguous(), with_residual, torch::kFloat64);
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_LE((ours[i] - theirs[i]).abs().max().item<double>(),
              tolerance * theirs[i].abs().max().item<double>())
        << "result " << i << " of " << input.sizes();
}

TEST(BatchNormPreluTest, EqualsTheStockOperationsForAnyChannelsLayoutAndSize) {
  for (const std::int64_t channels : {1, 3, 16, 33})
    for (const std::vector<std::int64_t>& grid :
         std::vector<std::vector<std::int64_t>>{{1, 2, 3}, {3, 5, 7}, {9, 7, 8}})
      for (const bool residual : {false, true}) {
        const Tensor input =
            wave({2, channels, grid[0], grid[1], grid[2]}, 0.77, torch::kFloat32);
        compare(input, residual, 1e-5);
        compare(channels_last(input), residual, 1e-5);
      }
}

TEST(BatchNormPreluTest, EqualsTheStockOperationsInDouble) {
  for (const std::int64_t channels : {1, 3, 16, 64})
    compare(channels_last(wave({2, channels, 5, 7, 9}, 0.77, torch::kFloat64)), true, 1e-11);
}

// Stock moments of channels-last tensors are 1e-4 off here.
TEST(BatchNormPreluTest, StaysExactOverManyVoxels) {
  compare(channels_last(wave({2, 2, 48, 48, 48}, 0.77, torch::kFloat32) + 3), false, 1e-5);
}

TEST(BatchNormPreluTest, KeepsParametersAndTheirGradientsInFloatUnderBfloat16) {
  const Tensor input = channels_last(wave({2, 5, 13, 9, 11}, 0.77, torch::kBFloat16));
  const auto with = [&](torch::ScalarType type, torch::ScalarType parameters) {
    const BatchNorm norm = norm_of(5, parameters);
    const Tensor slope = torch::full({1}, 0.2, parameters).requires_grad_();
    const Tensor y = type == torch::kBFloat16 ? batch_norm_prelu(input, norm, slope)
                                              : composed(input.to(type), norm, slope, {});
    EXPECT_EQ(y.scalar_type(), type);
    y.backward(wave(y.sizes(), 0.61, torch::kBFloat16).to(type));
    return std::vector<Tensor>{norm.weight.grad(), norm.bias.grad(), slope.grad()};
  };
  const auto ours = with(torch::kBFloat16, torch::kFloat32);
  const auto wanted = with(torch::kFloat64, torch::kFloat64);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_LE((ours[i] - wanted[i]).abs().max().item<double>(),
              1e-3 * wanted[i].abs().max().item<double>())
        << "gradient " << i;

  // A bias that bfloat16 has not is still the mean of what comes out.
  BatchNorm norm = norm_of(5, torch::kFloat32);
  norm.bias = torch::full({5}, 1 + 0x1p-10);
  const Tensor y = batch_norm_prelu(input, norm, torch::ones({1}));
  const Tensor means = y.to(torch::kFloat64).mean({0, 2, 3, 4});
  EXPECT_LE((means - norm.bias).abs().max().item<double>(), 5e-4);
}

TEST(BatchNormPreluTest, HasTheStridesOfChannelsLast) {
  const Tensor input = channels_last(wave({2, 3, 4, 5, 6}, 0.77, torch::kFloat32));
  const Tensor output =
      batch_norm_prelu(input, norm_of(3, torch::kFloat32), torch::full({1}, 0.2F));
  EXPECT_EQ(output.strides(), input.strides());
}

TEST(BatchNormPreluTest, RefusesGradientsOfGradients) {
  const Tensor x = torch::rand({2, 2, 4, 5, 6}).requires_grad_();
  const Tensor y = batch_norm_prelu(x, norm_of(2, torch::kFloat32), torch::ones({1})).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), c10::Error);
  EXPECT_NO_THROW(torch::autograd::grad({y}, {x}, {}, true));
}

}  // namespace
}  // namespace proxytune::ops
