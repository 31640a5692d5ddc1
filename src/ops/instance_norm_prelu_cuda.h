#pragma once

#include <optional>
#include <tuple>

#include <torch/torch.h>

// What instance_norm_prelu.cpp registers for GPUs; built with PROXYTUNE_CUDA only. Float32.
namespace proxytune::ops {

std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> instance_norm_prelu_on_gpu(
    const torch::Tensor& input,
    const torch::Tensor& slope,
    const std::optional<torch::Tensor>& residual,
    double epsilon);

std::tuple<torch::Tensor, torch::Tensor> instance_norm_prelu_backward_on_gpu(
    const torch::Tensor& gradient,
    const torch::Tensor& input,
    const torch::Tensor& mean,
    const torch::Tensor& scale,
    const torch::Tensor& slope);

}  // namespace proxytune::ops
