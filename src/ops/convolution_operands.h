#pragma once

#include <array>
#include <optional>
#include <tuple>
#include <vector>

#include <torch/torch.h>

// What the two ways to convolve (LibTorch's, ours) are handed and give back.
namespace proxytune::ops {

using MaybeTensor = std::optional<torch::Tensor>;
/// Of input, weight and bias; undefined where it was not wanted.
using Gradients = std::tuple<torch::Tensor, torch::Tensor, torch::Tensor>;
using Wanted = std::array<bool, 3>;

inline bool is_bfloat16(const torch::Tensor& tensor) {
  return tensor.scalar_type() == torch::kBFloat16;
}

std::vector<std::int64_t> output_sizes(const torch::Tensor& input,
                                       const torch::Tensor& weight,
                                       std::int64_t stride,
                                       bool transposed);

/// Throws c10::Error for what convolution() does not take.
void check_operands(const torch::Tensor& input,
                    const torch::Tensor& weight,
                    std::int64_t stride,
                    bool transposed);

}  // namespace proxytune::ops
