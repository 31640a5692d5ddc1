#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "proxytune/imaging/volume.h"

namespace proxytune::training {

/// Extents or positions along z, y, x.
using Triple = std::array<int, 3>;

/// Study files say (x, y, z); arrays and tensors are (z, y, x).
inline Triple reversed(const std::array<int, 3>& xyz) {
  return {xyz[2], xyz[1], xyz[0]};
}

inline std::size_t voxels_of(const Triple& extents) {
  return static_cast<std::size_t>(extents[0]) * static_cast<std::size_t>(extents[1]) *
         static_cast<std::size_t>(extents[2]);
}

/// A part of a volume; `start` may lie outside of it.
struct Box {
  Triple start{};
  Triple extents{};
};

/// Copies a box of an image (channel, z, y, x) into `out` (z, y, x, channel), which is how a
/// channels-last tensor lies in memory, adding `shift` to every voxel. Outside the image is 0.
void copy_box(const imaging::VolumeView& image,
              const Box& box,
              float shift,
              std::span<float> out);

/// The same for classes.
void copy_box(const imaging::LabelView& label, const Box& box, std::span<std::uint8_t> out);

}  // namespace proxytune::training
