#pragma once

#include <vector>

#include "ops/own_convolution.h"
#include "proxytune/ops/up_block.h"

// up_block() by our kernels, in float32 from tensors of float32 or bfloat16.
namespace proxytune::ops {

/// What the backward pass needs of the forward one.
struct UpBlockState {
  torch::Tensor raw;          // (batch, channels, 2 z, 2 y, 2 x), before the norm
  torch::Tensor mean, scale;  // (batch, channels), float32
};

struct UpBlockOutput {
  torch::Tensor output;
  UpBlockState state;
};

/// inputs: channels-last, taken as if their channels were one tensor's.
UpBlockOutput up_block_forward(const std::vector<torch::Tensor>& inputs,
                               const UpBlock& block,
                               torch::ScalarType output_type,
                               double epsilon);

struct UpBlockGradients {
  std::vector<torch::Tensor> inputs;
  torch::Tensor up, slope, weight, bias;
};

/// gradient and inputs: channels-last.
UpBlockGradients up_block_backward(const torch::Tensor& gradient,
                                   const std::vector<torch::Tensor>& inputs,
                                   const UpBlock& block,
                                   const UpBlockState& state);

}  // namespace proxytune::ops
