#pragma once

#include <optional>
#include <utility>

#include <torch/torch.h>

namespace proxytune::ops {

/// A weight as convolution() takes it, with a bias or without.
struct WeightAndBias {
  torch::Tensor weight;
  std::optional<torch::Tensor> bias;
};

/// Two convolutions of one input with kernels of one size, as convolution(input, weight, bias,
/// {stride, output_type}) gives them. Where both would go to our kernels, the input is read
/// once each way instead of twice, and its gradient is one tensor instead of the sum of two.
/// Registered as proxytune::convolution_pair.
std::pair<torch::Tensor, torch::Tensor> convolution_pair(
    const torch::Tensor& input,
    const WeightAndBias& first,
    const WeightAndBias& second,
    int stride,
    std::optional<torch::ScalarType> output_type = std::nullopt);

/// Whether this one goes through together.
bool joins_convolutions(const torch::Tensor& input,
                        const torch::Tensor& first_weight,
                        const torch::Tensor& second_weight,
                        int stride);

}  // namespace proxytune::ops
