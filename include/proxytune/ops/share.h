#pragma once

#include <utility>

#include <torch/torch.h>

namespace proxytune::ops {

/// The tensor twice, for two uses. Their gradients are added as autograd would, but those of
/// bfloat16 on the processor by a loop of ours: LibTorch's takes three times as long.
std::pair<torch::Tensor, torch::Tensor> share(const torch::Tensor& tensor);

}  // namespace proxytune::ops
