#pragma once

#include "ops/convolution_operands.h"
#include "ops/row_products.h"

// Convolutions with many channels, by row_products.h, on tensors.
namespace proxytune::ops {

/// Whether they can be done so: kernels of edge 3, channels in eights, float32; or in
/// sixteens, all bfloat16, where the processor multiplies matrices.
bool fits_row_products(const torch::Tensor& input,
                       const torch::Tensor& weight,
                       torch::ScalarType output);

torch::Tensor forward_by_rows(const torch::Tensor& input,
                              const torch::Tensor& weight,
                              const MaybeTensor& bias,
                              std::int64_t stride,
                              bool transposed);

/// Of input and weight; bias as bias_gradient_own() has it. The weight's is summed in float32.
Gradients backward_by_rows(const torch::Tensor& gradient,
                           const torch::Tensor& input,
                           const torch::Tensor& weight,
                           std::int64_t stride,
                           bool transposed,
                           const Wanted& wanted);

}  // namespace proxytune::ops
