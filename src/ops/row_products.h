#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/row_plan.h"

// Convolutions with many channels as products of rows of voxels and blocks of weights, channels
// last. No LibTorch here.
namespace proxytune::ops {

/// [first][27][second]: a tensor (first, second, 3, 3, 3) in channels-last order.
struct WeightsOf {
  const float* values = nullptr;
  bool inputs_first = false;  // else outputs
};

/// output[target] = bias + sum over the taps of weights^T input[source]. Inputs and outputs are
/// multiples of 8; `bias` may be null.
struct RowProducts {
  const RowPlan* plan = nullptr;
  int inputs = 0;
  int outputs = 0;
  WeightsOf weights;
  const float* bias = nullptr;
};

/// Sums over all rows of source[i] target[j], written to `to` as weights are laid out; 0 for
/// taps that reach no source.
struct RowGradients {
  const RowPlan* plan = nullptr;  // of one sample
  std::int64_t samples = 1;
  std::int64_t target_voxels = 0;  // of a sample
  std::int64_t source_voxels = 0;
  int source_channels = 0;
  int target_channels = 0;
  bool sources_first = false;
  float* to = nullptr;
};

/// For one instruction set; all in float32 from float32.
struct RowKernels {
  void (*products)(const RowProducts& of, const float* input, float* output) = nullptr;
  void (*gradients)(const RowGradients& of, const float* source, const float* target) = nullptr;
};

/// What this processor runs, held to LibTorch's instruction set as float_kernels() is; null
/// where there is none.
const RowKernels* row_kernels();

/// The same of bfloat16 rows by matrices of AMX, inputs and outputs multiples of 16: weights
/// and what they are multiplied with are rounded to bfloat16, sums are float32, outputs
/// bfloat16.
using MatrixProducts = void (*)(const RowProducts& of,
                                const std::uint16_t* input,
                                std::uint16_t* output);
MatrixProducts matrix_products();

/// Memory of this thread that outlives a call, so that no step asks for it anew; 64-byte
/// aligned. Each `which` is one such memory.
float* kept_memory(int which, std::size_t floats);

}  // namespace proxytune::ops
