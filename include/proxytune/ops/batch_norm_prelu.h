#pragma once

#include <optional>

#include <torch/torch.h>

#include "proxytune/ops/batch_sums.h"

namespace proxytune::ops {

/// What torch.nn.BatchNorm3d keeps, one element a channel each.
struct BatchNorm {
  torch::Tensor weight;
  torch::Tensor bias;
  torch::Tensor running_mean;
  torch::Tensor running_variance;
};

/// y = PReLU(weight * (x - mean) / sqrt(variance + epsilon) + bias) [+ residual], the moments
/// taken over the samples and voxels of each channel: torch.nn.BatchNorm3d in training, then
/// torch.nn.PReLU with one slope. The running moments, if any, go a tenth of the way to the
/// batch's (of the variance, the unbiased one).
///
/// input: (batch, channels, z, y, x), float32 or float64, more than one voxel in all, or
/// bfloat16 beside a norm and slope of float32, which only the output is rounded from. LibTorch
/// adds the moments of channels-last tensors up one by one in the elements' type, which puts
/// its outputs off by 3e-3 for 2 channels of 2 x 96^3; these are exact to the last digits.
/// Where `sums` are given `input` is a part of the batch, and the moments and their gradients
/// are the whole batch's; they outlive the backward pass.
torch::Tensor batch_norm_prelu(const torch::Tensor& input,
                               const BatchNorm& norm,
                               const torch::Tensor& slope,
                               const std::optional<torch::Tensor>& residual = std::nullopt,
                               double epsilon = 1e-5,
                               BatchSums* sums = nullptr);

}  // namespace proxytune::ops
