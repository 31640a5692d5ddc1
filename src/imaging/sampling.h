#pragma once

#include <array>
#include <span>
#include <vector>

#include "proxytune/imaging/grid.h"

// Resampling along grid axes: an output voxel's neighbours are found axis by axis.
namespace proxytune::imaging {

/// Per output index: value = lower * (1 - weight) + upper * weight.
struct LinearTap {
  int lower = 0;
  int upper = 0;
  double weight = 0;
};
using LinearAxis = std::vector<LinearTap>;
using NearestAxis = std::vector<int>;

/// Taps at source coordinates clamp(coordinate, 0, extent - 1).
LinearTap linear_tap(double coordinate, int extent);

/// Axes in the order x, y, z; `result` has a value for each of their outputs. Computed in
/// double, along x, then y, then z, and rounded to float32 once.
void sample_linear(std::span<const float> voxels,
                   const Shape& from,
                   const std::array<LinearAxis, 3>& axes,
                   std::span<float> result);

/// Picks whole voxels: nearest neighbours, flips, crops. `stride` says how far apart two voxels
/// are in the source along each new axis.
template <class Voxel>
void pick(const Voxel* source,
          const std::array<NearestAxis, 3>& axes,
          const std::array<std::ptrdiff_t, 3>& stride,
          Voxel* target) {
  for (const int z : axes[2]) {
    for (const int y : axes[1]) {
      const Voxel* row = source + z * stride[2] + y * stride[1];
      for (const int x : axes[0])
        *target++ = row[x * stride[0]];
    }
  }
}

/// Distances between neighbours along x, y, z of an array of this shape.
inline std::array<std::ptrdiff_t, 3> strides(const Shape& shape) {
  return {1, shape.x, static_cast<std::ptrdiff_t>(shape.x) * shape.y};
}

inline Shape shape_of(const std::array<NearestAxis, 3>& axes) {
  return {.z = static_cast<int>(axes[2].size()),
          .y = static_cast<int>(axes[1].size()),
          .x = static_cast<int>(axes[0].size())};
}

}  // namespace proxytune::imaging
