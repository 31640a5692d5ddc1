#pragma once

#include <optional>

#include <torch/torch.h>

namespace proxytune::ops {

/// What an up_block() is made of, MONAI's names in brackets.
struct UpBlock {
  torch::Tensor up;  // (in, channels, 3, 3, 3), of the transposed convolution, without a bias
  torch::Tensor slope;   // of the PReLU, one element
  torch::Tensor weight;  // (out, channels, 3, 3, 3)
  torch::Tensor bias;    // (out)
};

/// y = convolution(PReLU(instance_norm(transposed convolution(x, up))), weight) + bias of x =
/// first and second concatenated, the topmost decoder of a U-Net: concatenate(), convolution(),
/// instance_norm_prelu() and convolution(), whose limits and promises hold here too. Where the
/// channels are few and the processor has kernels of ours, the tensors between are read and
/// written half as often: moments are taken while the first convolution's planes are in the
/// cache, and planes are normalised while the second one reads them; their gradients likewise.
/// Registered as proxytune::up_block.
///
/// first, second: (batch, their channels, z, y, x). Returns (batch, out, 2 z, 2 y, 2 x) of
/// output_type, by default the inputs'.
torch::Tensor up_block(const torch::Tensor& first,
                       const torch::Tensor& second,
                       const UpBlock& block,
                       std::optional<torch::ScalarType> output_type = std::nullopt,
                       double epsilon = 1e-5);

/// The same by the four operations, one after the other.
torch::Tensor up_block_in_steps(const torch::Tensor& first,
                                const torch::Tensor& second,
                                const UpBlock& block,
                                std::optional<torch::ScalarType> output_type = std::nullopt,
                                double epsilon = 1e-5);

/// Whether up_block() does this one in one go.
bool fuses_up_block(const torch::Tensor& first,
                    const torch::Tensor& second,
                    const UpBlock& block);

}  // namespace proxytune::ops
