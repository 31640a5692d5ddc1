#include "proxytune/ops/concatenate.h"

#include <gtest/gtest.h>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

TEST(ConcatenateTest, EqualsTheStockOperationWithDenseGradients) {
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16})
    for (const std::int64_t first : {1, 2, 4, 5, 16})
      for (const std::int64_t second : {1, 2, 8, 17}) {
        const Tensor a =
            channels_last(torch::rand({2, first, 3, 4, 5})).to(type).requires_grad_();
        const Tensor b = torch::rand({2, second, 3, 4, 5}).to(type).requires_grad_();
        const Tensor both = concatenate(a, b);
        EXPECT_TRUE(torch::equal(both, torch::cat({a, b}, 1)));
        EXPECT_TRUE(both.is_contiguous(c10::MemoryFormat::ChannelsLast3d));
        const Tensor gradient = torch::rand(both.sizes()).to(type);
        const auto parts = torch::autograd::grad({both}, {a, b}, {gradient});
        EXPECT_TRUE(torch::equal(parts[0], gradient.narrow(1, 0, first)));
        EXPECT_TRUE(torch::equal(parts[1], gradient.narrow(1, first, second)));
        EXPECT_TRUE(parts[0].is_contiguous(c10::MemoryFormat::ChannelsLast3d));
      }
}

TEST(ConcatenateTest, RefusesOtherGridsAndTypes) {
  const Tensor a = torch::zeros({1, 2, 3, 4, 5});
  EXPECT_THROW(concatenate(a, torch::zeros({1, 2, 3, 4, 6})), c10::Error);
  EXPECT_THROW(concatenate(a, torch::zeros({1, 2, 3, 4, 5}, torch::kFloat64)), c10::Error);
}

TEST(ConcatenateTest, RefusesGradientsOfGradients) {
  const Tensor x = torch::rand({2, 2, 4, 5, 6}).requires_grad_();
  const Tensor y = concatenate(x, x).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), c10::Error);
  EXPECT_NO_THROW(torch::autograd::grad({y}, {x}, {}, true));
}

}  // namespace
}  // namespace proxytune::ops
