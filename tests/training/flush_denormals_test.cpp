#include "src/training/flush_denormals.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace proxytune::training {
namespace {

TEST(FlushDenormalsTest, HoldsInEveryThreadThatAnOperationIsSharedOutTo) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  const torch::Tensor small = torch::full({1 << 20}, 1e-38F);
  const auto hundredths = [&] { return small * 0.01F; };  // below 1.2e-38: not normal
  const torch::Tensor first = hundredths();               // starts LibTorch's threads
  torch::Tensor flushed;
  {
    const FlushDenormals flush;
    flushed = hundredths();
  }
  const torch::Tensor last = hundredths();
  EXPECT_TRUE(first.ne(0).all().item<bool>());
  EXPECT_EQ(flushed.ne(0).sum().item<std::int64_t>(), 0);
  EXPECT_TRUE(last.ne(0).all().item<bool>());
  at::set_num_threads(before);
}

}  // namespace
}  // namespace proxytune::training
