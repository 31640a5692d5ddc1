#pragma once

#include <torch/torch.h>

#include "proxytune/ops/softmax_dice_options.h"

namespace proxytune::ops {

/// The Dice loss of the softmax, MONAI's: with I the sum over a patch's voxels of p*g, P of p,
/// G of g, where g is 1 in the voxels of a class,
///   mean over batch and classes of 1 - (2 I + smooth) / (G + P + smooth),
/// plus, where asked for, the mean cross-entropy over voxels. No one-hot labels and no
/// probabilities are stored: one pass for the loss and one for the gradient.
///
/// logits: (batch, classes, z, y, x), float32 or float64, one class or more; labels: uint8,
/// (batch, z, y, x), below the number of classes (not checked). Returns a float64 scalar with a
/// gradient. NaN and +infinity give NaN, and so does a voxel whose logits are all -infinity;
/// -infinity beside a finite logit is a class of probability 0 (its cross-entropy, where the
/// voxel is of that class, is infinite). Registered as proxytune::softmax_dice_loss, which also
/// returns the gradient of the logits.
torch::Tensor softmax_dice_loss(const torch::Tensor& logits,
                                const torch::Tensor& labels,
                                const SoftmaxDiceOptions& options = {});

/// The same of two classes, from the logits of class 1 less those of class 0, which is all that
/// a softmax depends on: (batch, 1, z, y, x).
torch::Tensor softmax_dice_loss_of_odds(const torch::Tensor& odds,
                                        const torch::Tensor& labels,
                                        const SoftmaxDiceOptions& options = {});

}  // namespace proxytune::ops
