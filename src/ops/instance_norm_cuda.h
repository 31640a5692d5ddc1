#pragma once

#include <cstdint>

#include "ops/instance_norm_kernel.h"

// The GPU forms of instance_norm_kernel.h, for all samples at once. Neither LibTorch nor CUDA's
// headers here; `stream` is a cudaStream_t. Sums run in a fixed order. Each returns a
// cudaError_t.
namespace proxytune::ops::cuda {

/// Floats that `workspace` must hold for either call.
std::int64_t workspace_size(std::int64_t samples, const Planes& planes);

int instance_norm_prelu_forward(std::int64_t samples,
                                const Planes& planes,
                                const float* input,
                                const float* residual,  // or null
                                const float* slope,
                                double epsilon,
                                float* output,
                                float* mean,
                                float* scale,
                                float* workspace,
                                void* stream);

int instance_norm_prelu_backward(std::int64_t samples,
                                 const Planes& planes,
                                 const float* output_gradient,
                                 const float* input,
                                 const float* mean,
                                 const float* scale,
                                 const float* slope,
                                 float* input_gradient,
                                 float* slope_gradient,
                                 float* workspace,
                                 void* stream);

}  // namespace proxytune::ops::cuda
