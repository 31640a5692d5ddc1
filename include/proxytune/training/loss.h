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

/// The same of two classes, from the logits of class 1 less those of class 0, (batch, 1, z, y,
/// x).
torch::Tensor segmentation_loss_of_odds(Loss kind,
                                        const torch::Tensor& odds,
                                        const torch::Tensor& labels);

}  // namespace proxytune::training
