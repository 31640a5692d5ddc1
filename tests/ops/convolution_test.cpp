#include "proxytune/ops/convolution.h"

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

/// Numbers that bfloat16 holds, so that all types start from the same ones.
Tensor wave(c10::IntArrayRef shape, double step) {
  const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return (torch::sin(index * step) + 0.1).view(shape).to(torch::kBFloat16).to(torch::kFloat64);
}

struct Case {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::vector<std::int64_t> grid{4, 4, 4};
  int stride = 1;
  bool transposed = false;
  std::int64_t edge = 3;
};

std::string text(const Case& of) {
  return std::to_string(of.in) + " -> " + std::to_string(of.out) + " stride " +
         std::to_string(of.stride) + (of.transposed ? " transposed " : " ") + "at " +
         std::to_string(of.grid[0]) + " x " + std::to_string(of.grid[1]) + " x " +
         std::to_string(of.grid[2]);
}

struct Operands {
  Tensor input, weight, bias;
};

Operands operands(const Case& of) {
  const std::int64_t first = of.transposed ? of.in : of.out;
  const std::int64_t second = of.transposed ? of.out : of.in;
  return {channels_last(wave({2, of.in, of.grid[0], of.grid[1], of.grid[2]}, 0.77)),
          wave({first, second, of.edge, of.edge, of.edge}, 0.37),
          wave({of.out}, 0.91)};
}

struct Results {
  Tensor output, input, weight, bias;  // gradients but for the first
};

template <class Convolve>
Results run(const Convolve& convolve,
            const Operands& of,
            torch::ScalarType type,
            torch::ScalarType weights) {
  const Tensor x = of.input.to(type).detach().requires_grad_();
  const Tensor w = of.weight.to(weights).detach().requires_grad_();
  const Tensor b = of.bias.to(weights).detach().requires_grad_();
  const Tensor y = convolve(x, w, b);
  y.backward(wave(y.sizes(), 0.61).to(y.scalar_type()));
  return {y.detach(), x.grad(), w.grad(), b.grad()};
}

Results stock(const Case& of) {
  return run(
      [&](const Tensor& x, const Tensor& w, const Tensor& b) {
        return of.transposed ? torch::conv_transpose3d(x, w, b, 2, 1, 1)
                             : torch::conv3d(x, w, b, of.stride, of.edge / 2);
      },
      operands(of),
      torch::kFloat64,
      torch::kFloat64);
}

/// Types, and who computes.
struct How {
  torch::ScalarType input = torch::kFloat32;
  torch::ScalarType weight = torch::kFloat32;
  torch::ScalarType output = torch::kFloat32;
  ConvolutionKernels kernels = ConvolutionKernels::fastest;
};
const How bfloat16{.input = torch::kBFloat16, .output = torch::kBFloat16};

Results ours(const Case& of, const How& how) {
  return run(
      [&](const Tensor& x, const Tensor& w, const Tensor& b) {
        return convolution(x, w, b, {of.stride, of.transposed, how.output, how.kernels});
      },
      operands(of),
      how.input,
      how.weight);
}

bool can(const Case& of, ConvolutionKernels kernels) {
  const Operands with = operands(of);
  return can_convolve(kernels,
                      with.input.to(torch::kFloat32),
                      with.weight.to(torch::kFloat32),
                      {of.stride, of.transposed});
}

void expect_close(const Tensor& got, const Tensor& wanted, double tolerance, const char* what) {
  ASSERT_EQ(got.sizes(), wanted.sizes()) << what;
  const double largest = wanted.abs().max().item<double>();
  EXPECT_LE((got.to(torch::kFloat64) - wanted).abs().max().item<double>(), tolerance * largest)
      << what;
}

void compare(const Case& of, const How& how, double tolerance) {
  SCOPED_TRACE(text(of));
  const Results got = ours(of, how);
  const Results wanted = stock(of);
  EXPECT_EQ(got.output.scalar_type(), how.output);
  EXPECT_EQ(got.weight.scalar_type(), how.weight);
  expect_close(got.output, wanted.output, tolerance, "output");
  expect_close(got.input, wanted.input, tolerance, "gradient of the input");
  expect_close(got.weight, wanted.weight, tolerance, "gradient of the weight");
  expect_close(got.bias, wanted.bias, tolerance, "gradient of the bias");
}

// Rows shorter and longer than a vector, odd and even, a single voxel; channels up to and
// beyond those of our kernels, odd and even.
std::vector<Case> cases() {
  std::vector<Case> all;
  const std::vector<std::int64_t> few{1, 2, 3, 4, 5, 6, 7, 8};
  for (const std::int64_t in : few)
    for (const std::int64_t out : few)
      all.push_back({.in = in, .out = out, .grid = {3, 4, 5}});
  for (const std::vector<std::int64_t>& grid :
       std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {2, 1, 7}, {4, 9, 33}, {3, 14, 17}})
    for (const std::int64_t channels : {1, 2, 3, 8})
      all.push_back({.in = channels, .out = channels + 1 - channels % 2, .grid = grid});
  for (const std::int64_t out : few)
    for (const std::int64_t in : {1, 8, 9, 24}) {
      all.push_back({.in = in, .out = out, .grid = {2, 3, 4}, .stride = 2, .transposed = true});
      all.push_back({.in = out, .out = in, .grid = {4, 6, 8}, .stride = 2});
    }
  for (const std::vector<std::int64_t>& grid :
       std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {1, 5, 18}, {3, 2, 33}}) {
    all.push_back({.in = 32, .out = 2, .grid = grid, .stride = 2, .transposed = true});
    all.push_back({.in = 3, .out = 9, .grid = {6, 2, 34}, .stride = 2});
    all.push_back({.in = 1, .out = 8, .grid = {5, 6, 9}, .stride = 2});  // odd: LibTorch's
  }
  all.push_back({.in = 8, .out = 16, .grid = {5, 6, 7}});
  all.push_back({.in = 16, .out = 9, .grid = {3, 3, 3}, .stride = 2, .transposed = true});
  all.push_back({.in = 4, .out = 6, .grid = {3, 4, 5}, .edge = 1});
  return all;
}

// Grids and batches whose rows are short, long, and longer than a block; blocks of outputs that
// are full and not; sums over one part of a sample and over several.
std::vector<Case> wide_cases() {
  std::vector<Case> all;
  for (const std::vector<std::int64_t>& grid :
       std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {2, 2, 2}, {1, 3, 18}, {4, 2, 33}}) {
    for (const auto& [in, out] : {std::pair{16, 16}, {16, 48}, {64, 32}, {80, 16}}) {
      all.push_back({.in = in, .out = out, .grid = grid});
      all.push_back({.in = in, .out = out, .grid = grid, .stride = 2});
      all.push_back({.in = in, .out = out, .grid = grid, .stride = 2, .transposed = true});
    }
    all.push_back({.in = 8, .out = 16, .grid = grid});
    all.push_back({.in = 24, .out = 8, .grid = grid, .stride = 2});
    all.push_back({.in = 40, .out = 24, .grid = grid, .stride = 2, .transposed = true});
  }
  all.push_back({.in = 16, .out = 16, .grid = {12, 13, 14}});
  all.push_back({.in = 256, .out = 128, .grid = {2, 2, 2}});
  return all;
}

bool fits(const Case& of, torch::ScalarType type) {
  const Operands with = operands(of);
  return can_convolve(ConvolutionKernels::own_rows,
                      with.input.to(type),
                      with.weight.to(torch::kFloat32),
                      {.stride = of.stride, .transposed = of.transposed});
}

TEST(ConvolutionTest, EqualsTheStockOperationRowByRowWhereChannelsAreMany) {
  int compared = 0;
  for (const Case& of : wide_cases()) {
    SCOPED_TRACE(text(of));
    const Results wanted = stock(of);
    for (const torch::ScalarType type : {torch::kFloat32, torch::kBFloat16})
      if (fits(of, type)) {
        const Results got =
            ours(of, {.input = type, .output = type, .kernels = ConvolutionKernels::own_rows});
        const double tolerance = type == torch::kFloat32 ? 2e-6 : 5e-3;
        expect_close(got.output, wanted.output, tolerance, "output");
        expect_close(got.input, wanted.input, tolerance, "gradient of the input");
        expect_close(got.weight, wanted.weight, tolerance, "gradient of the weight");
        expect_close(got.bias, wanted.bias, 2e-6, "gradient of the bias");
        ++compared;
      }
  }
  if (compared == 0)
    GTEST_SKIP() << "this processor has no such kernels";
}

TEST(ConvolutionTest, EqualsTheStockOperationForAnyChannelsAndSize) {
  for (const Case& of : cases())
    compare(of, {}, 2e-6);
}

TEST(ConvolutionTest, EqualsTheStockOperationInDouble) {
  const torch::ScalarType type = torch::kFloat64;
  for (const Case& of : {Case{.in = 3, .out = 2, .grid = {3, 4, 5}},
                         Case{.in = 3, .out = 2, .grid = {3, 4, 5}, .stride = 2},
                         Case{3, 2, {3, 4, 5}, 2, true}})
    compare(of, {type, type, type}, 1e-12);
}

// All operands are bfloat16 numbers: what is left is the rounding of the results, and of what
// the library sums.
TEST(ConvolutionTest, EqualsTheStockOperationInBfloat16WithFloatWeights) {
  for (const Case& of : cases())
    compare(of, bfloat16, 8e-3);
}

TEST(ConvolutionTest, EqualsTheStockOperationWithOurKernelsWhereverTheyAre) {
  int compared = 0;
  for (const Case& of : cases())
    for (const auto kernels :
         {ConvolutionKernels::own_float32, ConvolutionKernels::own_bfloat16})
      if (can(of, kernels)) {
        How how = bfloat16;
        how.kernels = kernels;
        compare(of, how, 5e-3);
        // Nothing is rounded but the sums themselves.
        const Results got = ours(of, how);
        expect_close(got.weight, stock(of).weight, 2e-6, "gradient of the weight");
        ++compared;
      }
  if (compared == 0)
    GTEST_SKIP() << "this processor has none of our kernels";
}

TEST(ConvolutionTest, TakesAndGivesFloatBesideBfloat16) {
  const How first{.output = torch::kBFloat16};
  for (const Case& of : {Case{.in = 1, .out = 8, .grid = {4, 6, 34}, .stride = 2},
                         Case{.in = 1, .out = 8, .grid = {5, 7, 9}, .stride = 2},
                         Case{.in = 1, .out = 16, .grid = {4, 5, 6}}})
    compare(of, first, 8e-3);
  const How last{.input = torch::kBFloat16};
  for (const Case& of : {Case{.in = 2, .out = 2, .grid = {4, 6, 34}},
                         Case{.in = 3, .out = 3, .grid = {5, 7, 9}},
                         Case{.in = 16, .out = 14, .grid = {4, 5, 6}}})
    compare(of, last, 8e-3);
}

// Logits: a bfloat16 input, whose every number float32 holds, beside weights that bfloat16 does
// not. Up to 5 classes AMX leaves to our kernels, beyond 8 they have none; one voxel is few.
TEST(ConvolutionTest, RoundsNothingToBfloat16WhereTheOutputIsFloat) {
  for (const std::int64_t classes : {2, 5, 6, 7, 8, 9, 14})
    for (const std::vector<std::int64_t>& grid :
         std::vector<std::vector<std::int64_t>>{{1, 1, 1}, {5, 7, 9}}) {
      SCOPED_TRACE(classes);
      const auto convolved = [&](const auto& convolve, torch::ScalarType type) {
        const Tensor index =
            torch::arange(classes * classes * 27).view({classes, classes, 3, 3, 3});
        const Tensor x = wave({2, classes, grid[0], grid[1], grid[2]}, 0.77).to(type);
        const Tensor w = torch::sin(0.37 * index).to(torch::kFloat32) + 1;
        const Tensor input = channels_last(x).detach().requires_grad_();
        const Tensor weight =
            w.to(type == torch::kFloat64 ? type : torch::kFloat32).detach().requires_grad_();
        const Tensor y = convolve(input, weight);
        y.backward(torch::sin(torch::arange(y.numel()) * 0.61).view(y.sizes()).to(y.dtype()));
        return Results{y.detach(), input.grad(), weight.grad(), {}};
      };
      const Results got = convolved(
          [](const Tensor& x, const Tensor& w) {
            return convolution(x, w, std::nullopt, {.output_type = torch::kFloat32});
          },
          torch::kBFloat16);
      const Results wanted = convolved(
          [](const Tensor& x, const Tensor& w) { return torch::conv3d(x, w, {}, 1, 1); },
          torch::kFloat64);
      EXPECT_EQ(got.output.scalar_type(), torch::kFloat32);
      expect_close(got.output, wanted.output, 2e-6, "output");
      expect_close(got.input, wanted.input, 5e-3, "gradient of the input");
      expect_close(got.weight, wanted.weight, 2e-6, "gradient of the weight");
    }
}

TEST(ConvolutionTest, GivesASampleTheSameBitsWhateverItsNeighboursAndThreads) {
  const Operands of = operands({.in = 4, .out = 4, .grid = {5, 9, 11}});
  const Tensor input = of.input.to(torch::kFloat32);
  const Tensor weight = of.weight.to(torch::kFloat32).requires_grad_();
  const auto gradient = [&](const Tensor& x, int threads) {
    at::set_num_threads(threads);
    weight.mutable_grad() = Tensor();
    const Tensor y = convolution(x, weight, std::nullopt);
    y.sum().backward();
    return std::pair{y.detach(), weight.grad().clone()};
  };
  const int before = at::get_num_threads();
  const auto [one, one_gradient] = gradient(input, 1);
  const auto [two, two_gradient] = gradient(input, 2);
  const auto [alone, alone_gradient] = gradient(input.narrow(0, 1, 1), 1);
  at::set_num_threads(before);
  if (!can_convolve(ConvolutionKernels::own_float32, input, weight))
    GTEST_SKIP() << "this processor has none of our kernels";
  EXPECT_TRUE(torch::equal(one, two));
  EXPECT_TRUE(torch::equal(one_gradient, two_gradient));
  EXPECT_TRUE(torch::equal(one.narrow(0, 1, 1), alone));
}

TEST(ConvolutionTest, LeavesWideAndOddOnesToLibTorch) {
  for (const Case& of : {Case{.in = 16, .out = 16},
                         Case{.in = 16, .out = 16, .stride = 2, .transposed = true},
                         Case{.in = 2, .out = 2, .edge = 1},
                         Case{.in = 2, .out = 2, .grid = {4, 5, 4}, .stride = 2}}) {
    EXPECT_FALSE(can(of, ConvolutionKernels::own_float32)) << text(of);
    EXPECT_THROW(ours(of, {.kernels = ConvolutionKernels::own_float32}), c10::Error);
  }
}

TEST(ConvolutionTest, RefusesOtherKernelsAndChannels) {
  const Tensor input = torch::zeros({1, 2, 6, 6, 6});
  EXPECT_THROW(convolution(input, torch::zeros({2, 2, 5, 5, 5}), std::nullopt), c10::Error);
  EXPECT_THROW(convolution(input, torch::zeros({2, 3, 3, 3, 3}), std::nullopt), c10::Error);
  EXPECT_THROW(convolution(input, torch::zeros({2, 2, 3, 3, 3}), std::nullopt, {.stride = 3}),
               c10::Error);
}

TEST(ConvolutionTest, RefusesWhatOurKernelsWouldReadOrWriteOutside) {
  const Tensor input = torch::zeros({1, 2, 6, 6, 6});
  const Tensor weight = torch::zeros({2, 2, 3, 3, 3});
  if (!can_convolve(ConvolutionKernels::own_float32, input, weight))
    GTEST_SKIP() << "this processor has no kernels of ours";
  ConvolutionOptions options{.kernels = ConvolutionKernels::own_float32};
  EXPECT_THROW(convolution(input, weight, torch::zeros({1}), options), c10::Error);
  options.output_type = torch::kHalf;
  EXPECT_THROW(convolution(input, weight, std::nullopt, options), c10::Error);
  options.output_type = torch::kFloat64;
  EXPECT_THROW(convolution(input, weight, std::nullopt, options), c10::Error);
}

TEST(ConvolutionTest, RefusesGradientsOfGradients) {
  const Tensor x = torch::rand({2, 2, 4, 5, 6}).requires_grad_();
  const Tensor y =
      convolution(x, torch::ones({2, 2, 3, 3, 3}).requires_grad_(), std::nullopt).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), c10::Error);
  EXPECT_NO_THROW(torch::autograd::grad({y}, {x}, {}, true));
}

}  // namespace
}  // namespace proxytune::ops
