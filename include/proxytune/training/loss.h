#pragma once

#include <torch/torch.h>

#include "proxytune/training/options.h"

namespace proxytune::training {

/// MONAI's DiceLoss(to_onehot_y, softmax) or DiceCELoss, the background counting as a class, of
/// logits (batch, classes, z, y, x) and uint8 labels (batch, z, y, x) below `classes`. A
/// float64 scalar with a gradient; for logits that are not finite see ops::softmax_dice_loss.
torch::Tensor segmentation_loss(Loss kind,
                                const torch::Tensor& logits,
                                const torch::Tensor& labels);

}  // namespace proxytune::training
