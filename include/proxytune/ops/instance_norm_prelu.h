#pragma once

#include <optional>

#include <torch/torch.h>

namespace proxytune::ops {

/// y = PReLU((x - mean) / sqrt(variance + epsilon)) [+ residual], the moments taken over the
/// voxels of each sample and channel (torch.nn.InstanceNorm3d without affine or running
/// statistics, then torch.nn.PReLU with one slope), in one pass forward and one backward.
///
/// input: (batch, channels, z, y, x), float32, float64 or bfloat16, more than one voxel; slope:
/// one element of the same type, of float32 for bfloat16, whose moments and sums are float32
/// too; residual: shaped like input. Dense channels-last-3d and contiguous inputs are taken
/// as they are, and the output has the input's layout. Sums run in a fixed order that depends
/// neither on threads nor on the instruction set. Registered as proxytune::instance_norm_prelu.
torch::Tensor instance_norm_prelu(const torch::Tensor& input,
                                  const torch::Tensor& slope,
                                  const std::optional<torch::Tensor>& residual = std::nullopt,
                                  double epsilon = 1e-5);

/// The same tensor with the strides of channels-last-3d, copied only if its elements lie
/// otherwise. Unlike contiguous(ChannelsLast3d) it also restrides a tensor of one channel or
/// one voxel, whose two layouts coincide in memory: LibTorch picks the convolution by the
/// strides alone.
torch::Tensor channels_last(const torch::Tensor& tensor);

}  // namespace proxytune::ops
