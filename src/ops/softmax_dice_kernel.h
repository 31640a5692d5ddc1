#pragma once

#include <cstdint>

#include "proxytune/ops/softmax_dice_options.h"

// No LibTorch here: these see raw pointers only.
namespace proxytune::ops {

/// Logits and their gradient are (batch, voxel, class), labels (batch, voxel), in C order.
struct LossShape {
  std::int64_t batch = 0;
  std::int64_t voxels = 0;  // of one patch
  int classes = 0;
};

/// Writes the gradient with respect to the logits and returns the loss. One pass over the
/// voxels of a patch for the sums, one for the gradient. Labels are below `classes`.
double softmax_dice(const LossShape& shape,
                    const SoftmaxDiceOptions& options,
                    const float* logits,
                    const std::uint8_t* labels,
                    float* gradient);
double softmax_dice(const LossShape& shape,
                    const SoftmaxDiceOptions& options,
                    const double* logits,
                    const std::uint8_t* labels,
                    double* gradient);

/// The same of two classes, from the logits of class 1 less those of class 0, (batch, voxel).
double softmax_dice_of_odds(const LossShape& shape,
                            const SoftmaxDiceOptions& options,
                            const float* odds,
                            const std::uint8_t* labels,
                            float* gradient);

}  // namespace proxytune::ops
