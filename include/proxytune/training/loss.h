#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "proxytune/training/options.h"

namespace proxytune::training {

/// Logits and their gradient are (batch, voxel, class), labels (batch, voxel), in C order.
struct LossShape {
  std::size_t batch = 0;
  std::size_t voxels = 0;  // of one patch
  int classes = 0;
};

/// MONAI's DiceLoss(to_onehot_y, softmax) or DiceCELoss: with I the sum of p*g, P of p, G of g,
///   Dice = mean over batch and classes, background too, of 1 - (2 I + 1e-5) / (G + P + 1e-5),
/// plus, for dice_ce, the mean cross-entropy over voxels. Writes the gradient with respect to
/// the logits and returns the loss; NaN or infinite logits give NaN. Labels are below
/// `classes`.
double segmentation_loss(Loss kind,
                         const LossShape& shape,
                         std::span<const float> logits,
                         std::span<const std::uint8_t> labels,
                         std::span<float> gradient);

}  // namespace proxytune::training
