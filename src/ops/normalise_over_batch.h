#pragma once

#include <torch/torch.h>

#include "proxytune/ops/batch_sums.h"

namespace proxytune::ops {

/// (input - mean) * scale, and what of each channel went into it.
struct NormalOverBatch {
  torch::Tensor normal;  // of the parameters' type
  torch::Tensor mean;    // (channels), of the parameters' type
  torch::Tensor scale;   // 1 / sqrt(variance + epsilon), as mean
  double values = 0;     // of a channel
};

/// Of a part (1, channels, z, y, x; channels-last) of a batch by the moments of the whole,
/// which `sums` adds up: in two passes, in float64, in the order of the voxels. Its gradient
/// asks for sums too.
NormalOverBatch normalise_over_batch(const torch::Tensor& part,
                                     torch::ScalarType parameters,
                                     double epsilon,
                                     BatchSums& sums);

}  // namespace proxytune::ops
