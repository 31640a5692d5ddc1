#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "proxytune/imaging/volume.h"
#include "row_kernels.h"

namespace proxytune::similarity {

/// Sums of a[v] * b[v] over every window that lies inside `shape`, one row of window centres
/// after another: use(index of the row's first centre, its sums). Running sums along z and y,
/// doubling along x: a constant number of operations a voxel, whatever the window. Everything
/// is double, and products of floats are exact in it, so the running sums do not drift.
template <class Use>
void for_each_row_of_box_sums(const imaging::Shape& shape,
                              int window,
                              const float* a,
                              const float* b,
                              std::vector<double>& scratch,
                              Use use) {
  const auto w = static_cast<std::size_t>(window);
  const auto depth = static_cast<std::size_t>(shape.z);
  const auto height = static_cast<std::size_t>(shape.y);
  const auto width = static_cast<std::size_t>(shape.x);
  const std::size_t plane = height * width;
  const std::size_t centres = width - w + 1;
  scratch.assign(plane + 3 * width, 0.0);
  double* const columns = scratch.data();  // sums along z
  double* const slabs = columns + plane;   // sums along z and y
  double* const spent = slabs + width;
  double* const sums = spent + width;
  for (std::size_t z = 0; z + 1 < w; ++z)
    add_products(plane, a + z * plane, b + z * plane, columns);
  std::size_t first_centre = 0;
  for (std::size_t z = w - 1; z < depth; ++z) {
    std::fill(slabs, slabs + width, 0.0);
    for (std::size_t y = 0; y < height; ++y) {
      double* const column = columns + y * width;
      const std::size_t entering = z * plane + y * width;
      if (z >= w) {
        const std::size_t leaving = entering - w * plane;
        slide_products(width, a + entering, b + entering, a + leaving, b + leaving, column);
      } else {
        add_products(width, a + entering, b + entering, column);
      }
      if (y >= w)
        slide_row(width, column, column - w * width, slabs);
      else
        add_row(width, column, slabs);
      if (y + 1 < w)
        continue;
      std::copy(slabs, slabs + width, spent);
      window_sums(width, w, spent, sums);
      use(first_centre, sums);
      first_centre += centres;
    }
  }
}

}  // namespace proxytune::similarity
