#pragma once

#include <cstdint>

// No LibTorch here: these see raw pointers only.
namespace proxytune::ops {

struct Bfloat16;

/// How a sample lies in memory: [voxels][channels]. A contiguous (batch, channels, z, y, x)
/// tensor is batch x channels samples of one channel.
struct Planes {
  std::int64_t voxels = 0;
  std::int64_t channels = 0;
};

/// One sample: writes output, and mean and 1/sqrt(variance +
/// epsilon) of each channel. `residual` is added to the output unless null.
void instance_norm_prelu_forward(const Planes& planes,
                                 const float* input,
                                 const float* residual,
                                 float slope,
                                 double epsilon,
                                 float* output,
                                 float* mean,
                                 float* scale);
void instance_norm_prelu_forward(const Planes& planes,
                                 const Bfloat16* input,
                                 const Bfloat16* residual,
                                 float slope,
                                 double epsilon,
                                 Bfloat16* output,
                                 float* mean,
                                 float* scale);
void instance_norm_prelu_forward(const Planes& planes,
                                 const double* input,
                                 const double* residual,
                                 double slope,
                                 double epsilon,
                                 double* output,
                                 double* mean,
                                 double* scale);

/// One sample: writes the gradient of the input and returns the slope's.
double instance_norm_prelu_backward(const Planes& planes,
                                    const float* output_gradient,
                                    const float* input,
                                    const float* mean,
                                    const float* scale,
                                    float slope,
                                    float* input_gradient);
double instance_norm_prelu_backward(const Planes& planes,
                                    const Bfloat16* output_gradient,
                                    const Bfloat16* input,
                                    const float* mean,
                                    const float* scale,
                                    float slope,
                                    Bfloat16* input_gradient);
double instance_norm_prelu_backward(const Planes& planes,
                                    const double* output_gradient,
                                    const double* input,
                                    const double* mean,
                                    const double* scale,
                                    double slope,
                                    double* input_gradient);

}  // namespace proxytune::ops
