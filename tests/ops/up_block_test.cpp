#include "proxytune/ops/up_block.h"

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

Tensor wave(c10::IntArrayRef shape, double step) {
  const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return (torch::sin(index * step) + 0.1).view(shape).to(torch::kBFloat16).to(torch::kFloat64);
}

struct Case {
  std::int64_t in = 2, channels = 1, out = 1;
  std::vector<std::int64_t> grid{2, 3, 4};
  double slope = 0.25;
};

// Rows shorter and longer than a vector, odd ones, a single voxel (8 of the output); up to the
// channels of our kernels, odd and even; slopes that PReLU may learn.
const std::vector<Case> cases{{8, 2, 2, {3, 4, 18}},
                              {8, 2, 3, {2, 3, 5}, -0.5},
                              {2, 1, 1, {1, 2, 3}},
                              {3, 2, 1, {1, 1, 1}},
                              {32, 2, 2, {2, 5, 9}, 0},
                              {5, 3, 4, {3, 2, 7}},
                              {24, 8, 8, {2, 2, 3}},
                              {3, 7, 5, {1, 4, 33}}};

struct Results {
  Tensor output, input, up, slope, weight, bias;  // gradients but for the first
};

using Operation = Tensor (*)(
    const Tensor&, const Tensor&, const UpBlock&, std::optional<torch::ScalarType>, double);

Results run(Operation operation,
            const Case& of,
            torch::ScalarType activations,
            torch::ScalarType weights) {
  const auto leaf = [](const Tensor& tensor, torch::ScalarType type) {
    return tensor.to(type).detach().requires_grad_();
  };
  const Tensor x = leaf(
      channels_last(wave({2, of.in, of.grid[0], of.grid[1], of.grid[2]}, 0.77)), activations);
  const UpBlock block{leaf(wave({of.in, of.channels, 3, 3, 3}, 0.37), weights),
                      leaf(torch::full({1}, of.slope), weights),
                      leaf(wave({of.out, of.channels, 3, 3, 3}, 0.53), weights),
                      leaf(wave({of.out}, 0.91), weights)};
  const std::int64_t first = of.in / 2;
  const Tensor y =
      operation(x.narrow(1, 0, first), x.narrow(1, first, of.in - first), block, weights, 1e-5);
  y.backward(wave(y.sizes(), 0.61).to(y.scalar_type()));
  return {y.detach(),
          x.grad(),
          block.up.grad(),
          block.slope.grad(),
          block.weight.grad(),
          block.bias.grad()};
}

void expect_close(const Results& got, const Results& wanted, double tolerance) {
  const auto compare = [&](const Tensor& a, const Tensor& b, const char* what) {
    ASSERT_EQ(a.sizes(), b.sizes()) << what;
    const double largest = b.abs().max().item<double>();
    EXPECT_LE((a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>(),
              tolerance * std::max(largest, 1e-3))
        << what;
  };
  compare(got.output, wanted.output, "output");
  compare(got.input, wanted.input, "gradient of the input");
  compare(got.up, wanted.up, "gradient of the first weight");
  compare(got.slope, wanted.slope, "gradient of the slope");
  compare(got.weight, wanted.weight, "gradient of the second weight");
  compare(got.bias, wanted.bias, "gradient of the bias");
}

bool is_fused(const Case& of, torch::ScalarType type) {
  const UpBlock block{torch::zeros({of.in, of.channels, 3, 3, 3}),
                      torch::zeros({1}),
                      torch::zeros({of.out, of.channels, 3, 3, 3}),
                      torch::zeros({of.out})};
  const Tensor half = torch::zeros({1, of.in / 2, of.grid[0], of.grid[1], of.grid[2]}, type);
  return fuses_up_block(half, half, block);
}

TEST(UpBlockTest, EqualsItsStepsInDouble) {
  for (const Case& of : cases) {
    SCOPED_TRACE(std::to_string(of.in) + " " + std::to_string(of.channels));
    const Results wanted = run(&up_block_in_steps, of, torch::kFloat64, torch::kFloat64);
    expect_close(run(&up_block, of, torch::kFloat32, torch::kFloat32), wanted, 2e-5);
    expect_close(run(&up_block, of, torch::kFloat64, torch::kFloat64), wanted, 1e-12);
  }
}

// A voxel that rounding moves across the kink of the activation takes the other slope, so that
// these have none.
TEST(UpBlockTest, EqualsItsStepsFromBfloat16WithFloatWeights) {
  for (Case of : cases) {
    SCOPED_TRACE(std::to_string(of.in) + " " + std::to_string(of.channels));
    of.slope = 1;
    const Results wanted = run(&up_block_in_steps, of, torch::kFloat64, torch::kFloat64);
    Results got = run(&up_block, of, torch::kBFloat16, torch::kFloat32);
    got.slope = wanted.slope;  // that of a slope of one is a sum over the negative half
    expect_close(got, wanted, 4e-2);
  }
}

TEST(UpBlockTest, GivesASampleTheSameBitsWhateverItsNeighboursAndThreads) {
  const Case of{8, 2, 2, {3, 5, 7}};
  if (!is_fused(of, torch::kFloat32))
    GTEST_SKIP() << "this processor has none of our kernels";
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Results one = run(&up_block, of, torch::kFloat32, torch::kFloat32);
  at::set_num_threads(2);
  const Results two = run(&up_block, of, torch::kFloat32, torch::kFloat32);
  at::set_num_threads(before);
  EXPECT_TRUE(torch::equal(one.output, two.output));
  EXPECT_TRUE(torch::equal(one.input, two.input));
  EXPECT_TRUE(torch::equal(one.up, two.up));
  EXPECT_TRUE(torch::equal(one.slope, two.slope));
  EXPECT_TRUE(torch::equal(one.weight, two.weight));
  EXPECT_TRUE(torch::equal(one.bias, two.bias));
}

TEST(UpBlockTest, GoesInStepsWhereChannelsAreManyOrTypesOthers) {
  EXPECT_FALSE(is_fused({32, 9, 2}, torch::kFloat32));
  EXPECT_FALSE(is_fused({32, 2, 9}, torch::kFloat32));
  EXPECT_FALSE(is_fused({8, 2, 2}, torch::kFloat64));
  const Case wide{12, 9, 2, {2, 2, 3}};
  expect_close(run(&up_block, wide, torch::kFloat32, torch::kFloat32),
               run(&up_block_in_steps, wide, torch::kFloat64, torch::kFloat64),
               2e-5);
}

TEST(UpBlockTest, StaysExactFarFromZero) {
  const auto shifted = [](torch::ScalarType type) {
    const Tensor x = channels_last(wave({1, 8, 12, 12, 12}, 0.77)).to(type) + 50;
    const UpBlock block{wave({8, 2, 3, 3, 3}, 0.37).to(type),
                        torch::full({1}, 0.25, type),
                        wave({2, 2, 3, 3, 3}, 0.53).to(type),
                        wave({2}, 0.91).to(type)};
    return up_block(x.narrow(1, 0, 4), x.narrow(1, 4, 4), block);
  };
  const Tensor wanted = shifted(torch::kFloat64);
  EXPECT_LE((shifted(torch::kFloat32).to(torch::kFloat64) - wanted).abs().max().item<double>(),
            1e-4 * wanted.abs().max().item<double>());
}

}  // namespace
}  // namespace proxytune::ops
