#include "proxytune/ops/share.h"

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

Tensor wave(c10::IntArrayRef shape, double step, torch::ScalarType type) {
  const Tensor index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return channels_last(torch::sin(index * step).view(shape).to(type));
}

TEST(ShareTest, AddsGradientsAsAutogradDoes) {
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16}) {
    const Tensor x = wave({2, 3, 4, 5, 7}, 0.77, type).detach().requires_grad_();
    const Tensor a = wave(x.sizes(), 0.61, type);
    const Tensor b = wave(x.sizes(), 0.41, type);
    const auto [one, other] = share(x);
    EXPECT_TRUE(torch::equal(one, x));
    EXPECT_TRUE(torch::equal(other, x));
    EXPECT_EQ(one.data_ptr(), x.data_ptr());
    torch::autograd::backward({one * 1, other * 1}, {a, b});
    EXPECT_TRUE(torch::equal(x.grad(), a + b));
  }
}

TEST(ShareTest, AddsGradientsOfDifferentLayouts) {
  const Tensor x = wave({2, 3, 4, 5, 7}, 0.77, torch::kBFloat16).detach().requires_grad_();
  const Tensor a = wave(x.sizes(), 0.61, torch::kBFloat16);
  const Tensor b = wave(x.sizes(), 0.41, torch::kBFloat16).contiguous();
  const auto [one, other] = share(x);
  torch::autograd::backward({one, other}, {a, b});
  EXPECT_TRUE(torch::equal(x.grad(), a + b));
}

TEST(ShareTest, PassesTheGradientOfOneUseOn) {
  const Tensor x = torch::ones({1, 1, 2, 2, 2}).requires_grad_();
  const auto [one, other] = share(x);
  (3 * other).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::full_like(x, 3)));
}

TEST(ShareTest, GivesTheTensorItselfWhereNothingIsDifferentiated) {
  const Tensor x = torch::ones({1, 1, 2, 2, 2});
  EXPECT_FALSE(share(x).first.requires_grad());
}

}  // namespace
}  // namespace proxytune::ops
