#pragma once

#include <array>
#include <span>
#include <string>

#include "proxytune/core/names.h"

namespace proxytune::network {

enum class Norm { instance, batch };
inline constexpr core::Name<Norm> names_of_norm[] = {{Norm::instance, "instance"},
                                                     {Norm::batch, "batch"}};
constexpr std::span<const core::Name<Norm>> names(Norm) {
  return names_of_norm;
}

/// MONAI's residual U-Net: `levels` levels, the first with `channels` channels and each next
/// with twice as many, every level but the last halving the grid (method notes in
/// docs/paper-map.md).
struct UNetOptions {
  int in_channels = 1;
  int out_channels = 2;  // classes with background
  int channels = 16;     // of the first level
  int levels = 5;
  int residual_units = 2;  // sub-units per encoder level
  Norm norm = Norm::instance;
  bool operator==(const UNetOptions&) const = default;
};

/// in_channels and out_channels come from the data and are not fields of the study file.
template <class Fields>
void describe(Fields& fields, UNetOptions& options) {
  fields("channels",
         options.channels,
         "channels of the first level; each next level has twice as many");
  fields("levels", options.levels, "levels of the U-Net, the bottom included; 2 or more");
  fields("residual_units",
         options.residual_units,
         "residual sub-units of an encoder level (paper: 2 in the full network, 1 in the "
         "proxies)");
  fields("norm",
         options.norm,
         "normalisation after each convolution; batch is MONAI's tutorial, instance has no "
         "running state");
}

/// Throws core::FieldError.
void validate(const UNetOptions& options);

/// The grid must be a multiple of this along each axis: 2^(levels-1).
int divisor(const UNetOptions& options);

/// Throws core::ConfigurationError unless a patch of these extents (z, y, x) can pass:
/// multiples of the divisor, and under instance norm more than one voxel left at the bottom.
/// `what` names the patch in the sentence, e.g. "training.patch".
void check_patch(const UNetOptions& options,
                 const std::array<int, 3>& patch,
                 const std::string& what);

/// Number of trainable scalars.
long long parameter_count(const UNetOptions& options);

}  // namespace proxytune::network
