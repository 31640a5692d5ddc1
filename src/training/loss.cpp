#include "proxytune/training/loss.h"

#include "proxytune/ops/softmax_dice_loss.h"

namespace proxytune::training {

torch::Tensor segmentation_loss(Loss kind,
                                const torch::Tensor& logits,
                                const torch::Tensor& labels) {
  return ops::softmax_dice_loss(logits, labels, {.cross_entropy = kind == Loss::dice_ce});
}

torch::Tensor segmentation_loss_of_odds(Loss kind,
                                        const torch::Tensor& odds,
                                        const torch::Tensor& labels) {
  return ops::softmax_dice_loss_of_odds(odds, labels, {.cross_entropy = kind == Loss::dice_ce});
}

}  // namespace proxytune::training
