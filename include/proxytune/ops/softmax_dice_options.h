#pragma once

namespace proxytune::ops {

/// MONAI's DiceLoss(to_onehot_y, softmax) with its reductions' defaults, or DiceCELoss.
struct SoftmaxDiceOptions {
  bool cross_entropy = false;  // add the mean cross-entropy over voxels
  bool background = true;      // class 0 counts in the Dice (include_background)
  double smooth = 1e-5;        // smooth_nr and smooth_dr
};

}  // namespace proxytune::ops
