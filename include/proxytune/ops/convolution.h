#pragma once

#include <optional>

#include <torch/torch.h>

namespace proxytune::ops {

/// Who computes: by default the faster one; our kernels also by name, for tests and
/// measurements, where a shape that they cannot do is an error.
enum class ConvolutionKernels { fastest, library, own_float32, own_bfloat16, own_rows };

struct ConvolutionOptions {
  int stride = 1;           // 1 or 2
  bool transposed = false;  // doubles the grid: stride 2, one more voxel at the end
  /// Of the output; by default the input's.
  std::optional<torch::ScalarType> output_type = std::nullopt;
  ConvolutionKernels kernels = ConvolutionKernels::fastest;
};

/// torch.conv3d with a kernel of edge 1 or 3 and padding of half the edge, or
/// torch.conv_transpose3d with edge 3, stride 2, padding 1 and output_padding 1.
///
/// input: (batch, in, z, y, x), float32, float64 or bfloat16; weight: (out, in, edge, edge,
/// edge), transposed (in, out, ...), of the input's type or float32 where the input or the
/// output is bfloat16, and bias (out) of the weight's. The output is channels-last. Where it is
/// float32 nothing is rounded to bfloat16, neither forward nor backward, but the gradient of a
/// bfloat16 input. The weight's gradient has the weight's type; under bfloat16 it is summed in
/// float32.
///
/// Few channels go to kernels of ours, as do many on one thread (own_rows: float32, or bfloat16
/// with AMX), everything else to LibTorch. Results of ours do not depend on threads. Registered
/// as proxytune::convolution.
torch::Tensor convolution(const torch::Tensor& input,
                          const torch::Tensor& weight,
                          const std::optional<torch::Tensor>& bias,
                          const ConvolutionOptions& options = {});

/// Whether this processor has kernels of ours that compute in float32, or bfloat16, and they
/// can do this convolution.
bool can_convolve(ConvolutionKernels own,
                  const torch::Tensor& input,
                  const torch::Tensor& weight,
                  const ConvolutionOptions& options = {});

}  // namespace proxytune::ops
