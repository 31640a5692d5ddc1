#pragma once

// Makes an image ready for local NCC on a GPU, to the bits of normalized_cross_correlation.cpp
// and window_loops.h: codes, then sums and inverse norms of all windows.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gpu_march.cuh"

namespace proxytune::similarity {
namespace {

__global__ void round_codes(RoundingJob job) {
  constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  const WindowGrid& grid = job.grid;
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = static_cast<int>(blockIdx.y);
  const int z = static_cast<int>(blockIdx.z);
  if (x >= grid.stride)
    return;
  const int margin = 2 * job.radius;
  const int columns = grid.centre_columns + grid.window - 1 - margin;
  const int rows = grid.plane_rows - margin;
  const auto code = [&](int plane) -> std::uint32_t {
    const int i = x - job.radius;
    const int j = y - job.radius;
    const int k = plane - job.radius;
    if (i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= grid.planes - margin)
      return static_cast<std::uint16_t>(job.outside);
    const std::size_t at = (static_cast<std::size_t>(k) * static_cast<std::size_t>(rows) +
                            static_cast<std::size_t>(j)) *
                               static_cast<std::size_t>(columns) +
                           static_cast<std::size_t>(i);
    const double value = static_cast<double>(__ldg(job.values + at));
    const double rounded = ((value - job.middle) * job.scale + rounder) - rounder;
    return static_cast<std::uint16_t>(static_cast<std::int32_t>(rounded));
  };
  const std::uint32_t leaving = z < grid.window ? 0U : code(z - grid.window);
  const std::size_t at = (static_cast<std::size_t>(z) * gridDim.y + blockIdx.y) *
                             static_cast<std::size_t>(grid.stride) +
                         static_cast<std::size_t>(x);
  job.pairs[at] = code(z) | leaving << 16U;
}

template <int Window>
__global__ void keep_moments(MomentsJob job) {
  constexpr std::int64_t voxels = Window * Window * Window;
  const WindowGrid& grid = job.grid;
  const int unit =
      static_cast<int>(blockIdx.x) * warps_of_block + static_cast<int>(threadIdx.x) / warp_size;
  if (unit >= grid.bands * grid.chunks)
    return;
  const March march = march_of(grid, unit, static_cast<int>(blockIdx.z), job.slab);
  Column<Window> codes = empty_column<Window>(grid, 0, 2);
  Column<Window> squares = empty_column<Window>(grid, 1, 2);
  for (int step = 0; step < march.planes + Window - 1; ++step) {
    std::size_t from = code_at(grid, march, march.first_plane + step);
    std::size_t to = centre_at(grid, march, march.first_plane + step - Window + 1);
    codes.begin_plane();
    squares.begin_plane();
    for (int y = 0; y < march.rows + Window - 1; ++y) {
      const std::uint32_t pair = codes_at(job.pairs, march, from, step >= Window);
      from += static_cast<std::size_t>(grid.stride);
      codes.enter(y, low(pair) - high(pair));
      squares.enter(y, low(pair) * low(pair) - high(pair) * high(pair));
      if (step < Window - 1 || y < Window - 1)
        continue;
      const std::int64_t sum = sum_of_neighbours<Window>(codes.window);
      const std::int64_t variance =
          voxels * sum_of_neighbours<Window>(squares.window) - sum * sum;
      if (march.is_centre) {
        const bool contrast = variance > 0 && march.column < grid.centre_columns;
        job.sums[to] = static_cast<std::int32_t>(sum);
        job.inverse_norms[to] =
            contrast ? 1.0F / std::sqrt(static_cast<float>(variance)) : 0.0F;
        to += block_width;
      }
    }
  }
}

}  // namespace
}  // namespace proxytune::similarity
