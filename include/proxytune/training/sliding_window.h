#pragma once

#include <functional>
#include <span>
#include <vector>

#include "proxytune/imaging/volume.h"
#include "proxytune/training/boxes.h"
#include "proxytune/training/options.h"

namespace proxytune::training {

/// Where windows start along one axis, as in MONAI: steps of max(1, int(window*(1-overlap))),
/// the last moved back to end with the image; an image smaller than the window has one at 0.
std::vector<int> window_starts(int image, int window, double overlap);

/// The weights (z, y, x) of a window's voxels: all 1, or a Gaussian of an eighth of the extents
/// about the centre, at least the larger of its minimum and 1e-3.
std::vector<float> window_weights(const Triple& window, Blending blending);

/// Logits (window, z, y, x, class) of `count` windows (window, z, y, x, channel). What is
/// returned lives until the next call.
using WindowPredictor =
    std::function<std::span<const float>(int count, std::span<const float> windows)>;

/// Classes of an image: weighted sums of the logits of overlapping windows, then the largest
/// (of equal ones the first). An image smaller than the window is padded with zeros, the
/// smaller half in front.
imaging::LabelVolume sliding_window_inference(const imaging::VolumeView& image,
                                              int classes,
                                              const TrainingOptions& options,
                                              const WindowPredictor& predict);

/// Dice 2 |A and B| / (|A| + |B|) of each foreground class; NaN where the truth has none.
std::vector<double> dice_scores(std::span<const std::uint8_t> prediction,
                                std::span<const std::uint8_t> truth,
                                int classes);

}  // namespace proxytune::training
