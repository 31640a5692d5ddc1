#pragma once

#include <torch/torch.h>

namespace proxytune::ops {

/// torch.cat({first, second}, 1) of (batch, channels, z, y, x) tensors of one type and grid, as
/// a dense channels-last tensor. Unlike the stock operation's, its gradients are dense too:
/// slices of channels-last tensors are slow to add. Registered as proxytune::concatenate.
torch::Tensor concatenate(const torch::Tensor& first, const torch::Tensor& second);

}  // namespace proxytune::ops
