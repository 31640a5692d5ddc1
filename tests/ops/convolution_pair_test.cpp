#include "proxytune/ops/convolution_pair.h"

#include <gtest/gtest.h>

#include "proxytune/ops/convolution.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

struct Case {
  std::int64_t in = 1, first = 1, second = 1;
  std::vector<std::int64_t> grid{4, 4, 4};
  int stride = 2;
  bool biases = true;  // of both, or of the second only
};

// Outputs that end within a block of our kernels' eight, odd ones next to even ones; grids that
// are halved and one that LibTorch must do; more channels than ours take.
const std::vector<Case> cases{{1, 4, 4, {4, 6, 34}},
                              {1, 16, 16, {4, 4, 6}, 2, false},
                              {4, 8, 8, {2, 4, 6}, 2, false},
                              {3, 5, 4, {4, 2, 8}},
                              {2, 3, 1, {2, 2, 2}},
                              {3, 5, 2, {3, 5, 7}, 1},
                              {2, 2, 2, {5, 4, 3}},
                              {12, 4, 4, {4, 4, 4}}};

struct Results {
  Tensor first, second, input, first_weight, first_bias, second_weight, second_bias;
};

template <class Convolve>
Results run(const Case& of,
            torch::ScalarType type,
            torch::ScalarType weights,
            const Convolve& convolve) {
  const auto wave = [](c10::IntArrayRef shape, double step, torch::ScalarType as) {
    const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
    return (torch::sin(index * step) + 0.1).view(shape).to(torch::kBFloat16).to(as);
  };
  const auto leaf = [&](c10::IntArrayRef shape, double step) {
    return wave(shape, step, weights).requires_grad_();
  };
  const Tensor x =
      channels_last(wave({2, of.in, of.grid[0], of.grid[1], of.grid[2]}, 0.77, type))
          .detach()
          .requires_grad_();
  const WeightAndBias a{leaf({of.first, of.in, 3, 3, 3}, 0.37),
                        of.biases ? std::optional(leaf({of.first}, 0.91)) : std::nullopt};
  const WeightAndBias b{leaf({of.second, of.in, 3, 3, 3}, 0.53), leaf({of.second}, 0.71)};
  const auto [y, z] = convolve(x, a, b);
  torch::autograd::backward(
      {y, z}, {wave(y.sizes(), 0.61, y.scalar_type()), wave(z.sizes(), 0.41, z.scalar_type())});
  return {y.detach(),
          z.detach(),
          x.grad(),
          a.weight.grad(),
          a.bias ? a.bias->grad() : Tensor(),
          b.weight.grad(),
          b.bias->grad()};
}

Results wanted(const Case& of) {
  return run(of,
             torch::kFloat64,
             torch::kFloat64,
             [&](const Tensor& x, const WeightAndBias& a, const WeightAndBias& b) {
               return std::pair{
                   torch::conv3d(x, a.weight, a.bias.value_or(Tensor()), of.stride, 1),
                   torch::conv3d(x, b.weight, *b.bias, of.stride, 1)};
             });
}

Results ours(const Case& of, torch::ScalarType type, torch::ScalarType weights) {
  return run(
      of, type, weights, [&](const Tensor& x, const WeightAndBias& a, const WeightAndBias& b) {
        return convolution_pair(x, a, b, of.stride);
      });
}

void expect_close(const Results& got, const Results& right, double tolerance) {
  const auto compare = [&](const Tensor& a, const Tensor& b, const char* what) {
    ASSERT_EQ(a.defined(), b.defined()) << what;
    if (!a.defined())
      return;
    ASSERT_EQ(a.sizes(), b.sizes()) << what;
    EXPECT_LE((a.to(torch::kFloat64) - b).abs().max().item<double>(),
              tolerance * b.abs().max().item<double>())
        << what;
  };
  compare(got.first, right.first, "first output");
  compare(got.second, right.second, "second output");
  compare(got.input, right.input, "gradient of the input");
  compare(got.first_weight, right.first_weight, "gradient of the first weight");
  compare(got.first_bias, right.first_bias, "gradient of the first bias");
  compare(got.second_weight, right.second_weight, "gradient of the second weight");
  compare(got.second_bias, right.second_bias, "gradient of the second bias");
}

TEST(ConvolutionPairTest, EqualsTwoStockConvolutions) {
  for (const Case& of : cases) {
    SCOPED_TRACE(std::to_string(of.in) + " -> " + std::to_string(of.first) + " and " +
                 std::to_string(of.second));
    const Results right = wanted(of);
    expect_close(ours(of, torch::kFloat32, torch::kFloat32), right, 2e-6);
    expect_close(ours(of, torch::kFloat64, torch::kFloat64), right, 1e-12);
    expect_close(ours(of, torch::kBFloat16, torch::kFloat32), right, 1e-2);
  }
}

TEST(ConvolutionPairTest, GoesTogetherWhereBothWouldBeOurs) {
  const auto joins = [](const Case& of) {
    return joins_convolutions(torch::zeros({1, of.in, of.grid[0], of.grid[1], of.grid[2]}),
                              torch::zeros({of.first, of.in, 3, 3, 3}),
                              torch::zeros({of.second, of.in, 3, 3, 3}),
                              of.stride);
  };
  EXPECT_FALSE(joins({12, 4, 4, {4, 4, 4}}));
  EXPECT_FALSE(joins({2, 2, 2, {5, 4, 3}}));
  if (!can_convolve(ConvolutionKernels::own_float32,
                    torch::zeros({1, 1, 2, 2, 2}),
                    torch::zeros({4, 1, 3, 3, 3}),
                    {.stride = 2}))
    GTEST_SKIP() << "this processor has none of our kernels";
  EXPECT_TRUE(joins({1, 4, 4, {4, 6, 34}}));
  EXPECT_TRUE(joins({4, 8, 8, {2, 4, 6}}));
}

}  // namespace
}  // namespace proxytune::ops
