#pragma once

#include <array>
#include <span>

#include "proxytune/core/names.h"

namespace proxytune::training {

enum class Loss { dice, dice_ce };
inline constexpr core::Name<Loss> names_of_loss[] = {{Loss::dice, "dice"},
                                                     {Loss::dice_ce, "dice_ce"}};
constexpr std::span<const core::Name<Loss>> names(Loss) {
  return names_of_loss;
}

enum class Blending { constant, gaussian };
inline constexpr core::Name<Blending> names_of_blending[] = {{Blending::constant, "constant"},
                                                             {Blending::gaussian, "gaussian"}};
constexpr std::span<const core::Name<Blending>> names(Blending) {
  return names_of_blending;
}

/// By what power of a step's patches the learning rate grows.
enum class LearningRateScaling { none, linear, square_root };
inline constexpr core::Name<LearningRateScaling> names_of_learning_rate_scaling[] = {
    {LearningRateScaling::none, "none"},
    {LearningRateScaling::linear, "linear"},
    {LearningRateScaling::square_root, "square_root"}};
constexpr std::span<const core::Name<LearningRateScaling>> names(LearningRateScaling) {
  return names_of_learning_rate_scaling;
}

/// Which voxels a background patch may be centred on.
enum class Background { anywhere, positive };
inline constexpr core::Name<Background> names_of_background[] = {
    {Background::anywhere, "anywhere"}, {Background::positive, "positive"}};
constexpr std::span<const core::Name<Background>> names(Background) {
  return names_of_background;
}

/// How a network is trained and scored. Patches and windows are in voxels, in the order
/// (x, y, z) of the image file.
struct TrainingOptions {
  int epochs = 40;
  int validate_every = 4;  // epochs; the last epoch is always validated
  int cases_per_step = 2;
  int patches_per_case = 4;
  int granule = 0;  // patches; 0: patches_of_granule()
  std::array<int, 3> patch{96, 96, 96};
  double foreground_ratio = 0.5;  // probability that a patch is centred on foreground
  Background background = Background::anywhere;
  Loss loss = Loss::dice;
  LearningRateScaling learning_rate_scaling = LearningRateScaling::none;
  int scaling_patches = 8;
  int warmup_steps = 0;
  std::array<int, 3> window{96, 96, 96};  // of sliding-window inference
  double overlap = 0.25;                  // of neighbouring windows, [0, 1)
  Blending blending = Blending::constant;
  int windows_per_step = 4;  // windows in one forward pass
};

template <class Fields>
void describe(Fields& fields, TrainingOptions& options) {
  fields("epochs", options.epochs, "passes over the training cases");
  fields("validate_every",
         options.validate_every,
         "epochs between validations; the last epoch is always validated");
  fields("cases_per_step",
         options.cases_per_step,
         "cases that give patches to one optimizer step");
  fields("patches_per_case", options.patches_per_case, "random patches cut from each of them");
  fields(
      "granule",
      options.granule,
      "patches of a step whose gradient is computed at once; the parts are added in an order "
      "that does not depend on how many ranks compute them, and no more than those ranks can "
      "share a step; results depend on it in the last digits; 0: as few as have half a "
      "million voxels");
  fields("patch",
         options.patch,
         "extents of a training patch along x, y, z, in voxels; multiples of 2^(levels-1)");
  fields("foreground_ratio",
         options.foreground_ratio,
         "probability that a patch is centred on a labelled voxel, 0 to 1 (pos/(pos+neg) of "
         "MONAI's RandCropByPosNegLabel)");
  fields("background",
         options.background,
         "centres of the other patches: unlabelled voxels anywhere, or those where a channel "
         "is positive (image_key with threshold 0 in MONAI's spleen tutorial)");
  fields("loss", options.loss, "Dice loss on the softmax, alone or plus cross-entropy");
  fields("learning_rate_scaling",
         options.learning_rate_scaling,
         "for large batches: the learning rate times the patches of a step over "
         "training.scaling_patches, or times the root of that; changes what is tuned");
  fields("scaling_patches",
         options.scaling_patches,
         "patches of a step that learning rates are meant for, where they are scaled");
  fields("warmup_steps",
         options.warmup_steps,
         "for large batches: steps over which the learning rate rises, in equal parts, to its "
         "full height; 0: none; changes what is tuned");
  fields("window",
         options.window,
         "extents of the window of sliding-window inference along x, y, z, in voxels");
  fields("overlap",
         options.overlap,
         "share of a window that its neighbour covers again, 0 to below 1");
  fields("blending", options.blending, "how overlapping windows are averaged");
  fields(
      "windows_per_step", options.windows_per_step, "windows in one forward pass of inference");
}

/// Throws core::FieldError.
void validate(const TrainingOptions& options);

/// `granule`, and where that is 0 as few patches as have 2^19 voxels: below that a pass over
/// fewer patches costs more a patch, above it does not.
int patches_of_granule(const TrainingOptions& options);

/// Of all ranks together.
inline int patches_of_step(const TrainingOptions& options) {
  return options.cases_per_step * options.patches_per_case;
}

/// What the learning rate is multiplied with when it is at its full height.
double learning_rate_factor(const TrainingOptions& options);

}  // namespace proxytune::training
