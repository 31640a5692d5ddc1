#include "imaging/sampling.h"

#include <algorithm>
#include <cmath>

namespace proxytune::imaging {

LinearTap linear_tap(double coordinate, int extent) {
  const double inside = std::clamp(coordinate, 0.0, static_cast<double>(extent - 1));
  const int lower = static_cast<int>(std::floor(inside));
  return {lower, std::min(lower + 1, extent - 1), inside - lower};
}

std::vector<float> sample_linear(std::span<const float> voxels,
                                 const Shape& from,
                                 const std::array<LinearAxis, 3>& axes) {
  const auto stride = strides(from);
  const auto& [along_x, along_y, along_z] = axes;
  const auto mix = [](double low, double high, double weight) {
    return low * (1 - weight) + high * weight;
  };
  // Along y and z first, a whole row at a time: the compiler makes vectors of it.
  std::vector<double> row(static_cast<std::size_t>(from.x));
  std::vector<float> result(along_x.size() * along_y.size() * along_z.size());
  float* target = result.data();
  for (const LinearTap& z : along_z) {
    for (const LinearTap& y : along_y) {
      const float* rows[4] = {voxels.data() + z.lower * stride[2] + y.lower * stride[1],
                              voxels.data() + z.lower * stride[2] + y.upper * stride[1],
                              voxels.data() + z.upper * stride[2] + y.lower * stride[1],
                              voxels.data() + z.upper * stride[2] + y.upper * stride[1]};
      for (std::size_t x = 0; x < row.size(); ++x)
        row[x] = mix(mix(rows[0][x], rows[1][x], y.weight),
                     mix(rows[2][x], rows[3][x], y.weight),
                     z.weight);
      for (const LinearTap& x : along_x)
        *target++ = static_cast<float>(mix(row[static_cast<std::size_t>(x.lower)],
                                           row[static_cast<std::size_t>(x.upper)],
                                           x.weight));
    }
  }
  return result;
}

}  // namespace proxytune::imaging
