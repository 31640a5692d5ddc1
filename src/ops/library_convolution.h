#pragma once

#include "ops/convolution_operands.h"

// LibTorch's convolutions, channels-last, in types and sizes in which they are right.
namespace proxytune::ops {

/// `kernels` is not looked at: the signature is the operation's.
torch::Tensor forward_library(const torch::Tensor& input,
                              const torch::Tensor& weight,
                              const MaybeTensor& bias,
                              std::int64_t stride,
                              bool transposed,
                              torch::ScalarType output,
                              std::int64_t kernels);

Gradients backward_library(const torch::Tensor& gradient,
                           const torch::Tensor& input,
                           const torch::Tensor& weight,
                           std::int64_t stride,
                           bool transposed,
                           Wanted wanted,
                           std::int64_t kernels);

}  // namespace proxytune::ops
