#pragma once

// How warps go through an image's planes, for window sums on a GPU. A warp takes a band of rows
// and goes through it plane by plane; each thread keeps the sums along z of its column of the
// band in shared memory, slides a window's sum down y, and adds its neighbours' by shuffles. So
// warps wait for nobody, and of 32 columns all but window - 1 are centres.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "gpu_launch.h"
#include "gpu_shared.cuh"

namespace proxytune::similarity {
namespace {

constexpr unsigned whole_warp = 0xFFFFFFFFU;

/// What a warp goes through.
struct March {
  int first_row, rows;      // of the band's centres
  int first_plane, planes;  // of centres
  int column;               // this thread's, of codes and of centres
  bool reads;               // whether there are codes
  bool is_centre;           // of a window that this warp sums up
};

__device__ inline March march_of(const WindowGrid& grid, int unit, int slab_index, int slab) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int centres = warp_size - grid.window + 1;
  March march;
  march.first_row = unit / grid.chunks * band_rows;
  march.rows = grid.centre_rows - march.first_row;
  march.rows = march.rows < band_rows ? march.rows : band_rows;
  march.first_plane = slab_index * slab;
  march.planes = grid.centre_planes - march.first_plane;
  march.planes = march.planes < slab ? march.planes : slab;
  march.column = unit % grid.chunks * centres + lane;
  march.reads = march.column < grid.stride;
  march.is_centre = lane < centres && march.column < grid.blocks * block_width;
  return march;
}

/// Where code (plane, first row, this column) lies.
__device__ inline std::size_t code_at(const WindowGrid& grid, const March& march, int plane) {
  return (static_cast<std::size_t>(plane) * static_cast<std::size_t>(grid.plane_rows) +
          static_cast<std::size_t>(march.first_row)) *
             static_cast<std::size_t>(grid.stride) +
         static_cast<std::size_t>(march.column);
}

/// Where the sum and norm of the centre (plane, first row, this column) lie; those of the next
/// rows come every 16. As WindowLayout::band_at.
__device__ inline std::size_t centre_at(const WindowGrid& grid, const March& march, int plane) {
  const int block = march.column / block_width;
  return (static_cast<std::size_t>(plane) * static_cast<std::size_t>(grid.centre_rows) +
          static_cast<std::size_t>(march.first_row)) *
             static_cast<std::size_t>(grid.blocks) * block_width +
         static_cast<std::size_t>(block * march.rows * block_width +
                                  march.column % block_width);
}

__device__ inline std::int32_t low(std::uint32_t pair) {
  return static_cast<std::int16_t>(pair & 0xFFFFU);
}

__device__ inline std::int32_t high(std::uint32_t pair) {
  return static_cast<std::int16_t>(pair >> 16U);
}

/// Sums along z of one column of a band, and their sum over the last Window rows.
template <int Window>
struct Column {
  std::int32_t* sums;  // every 32nd is this thread's
  std::int64_t window = 0;

  __device__ void begin_plane() { window = 0; }
  /// Adds what the plane brings to row y, and moves the window there.
  __device__ void enter(int y, std::int32_t brought) {
    const std::int32_t sum = sums[y * warp_size] + brought;
    sums[y * warp_size] = sum;
    window += y < Window ? sum : sum - sums[(y - Window) * warp_size];
  }
};

/// A column of this thread's warp, empty; `kind` tells several apart. All are as long as the
/// longest band's, since warps of a block may be in different bands.
template <int Window>
__device__ Column<Window> empty_column(const WindowGrid& grid, int kind, int kinds) {
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int longest = grid.centre_rows < band_rows ? grid.centre_rows : band_rows;
  const int height = longest + Window - 1;
  Column<Window> column;
  column.sums = reinterpret_cast<std::int32_t*>(shared_words) +
                (warp * kinds + kind) * height * warp_size + lane;
  for (int y = 0; y < height; ++y)
    column.sums[y * warp_size] = 0;
  return column;
}

/// Over this thread's and the next Window - 1 threads' values, by doubling; of no meaning in
/// the warp's last threads.
template <int Window>
__device__ std::int64_t sum_of_neighbours(std::int64_t value) {
  auto power = static_cast<long long>(value);  // sums of `width` neighbours
  long long total = power;
  int width = 1;
  int covered = 1;
#pragma unroll
  for (int left = Window >> 1; left > 0; left >>= 1) {
    power += __shfl_down_sync(whole_warp, power, static_cast<unsigned>(width));
    width *= 2;
    if ((left & 1) != 0) {
      total += __shfl_down_sync(whole_warp, power, static_cast<unsigned>(covered));
      covered += width;
    }
  }
  return total;
}

/// The codes that enter; those that leave too, once they have been added.
__device__ inline std::uint32_t codes_at(const std::uint32_t* pairs,
                                         const March& march,
                                         std::size_t at,
                                         bool full) {
  const std::uint32_t pair = march.reads ? __ldg(pairs + at) : 0U;
  return full ? pair : pair & 0xFFFFU;
}

/// Calls use(constant of the window's edge); similarity.window allows these.
template <class Use>
void for_window(int window, const Use& use) {
  switch (window) {
    case 3:
      return use(std::integral_constant<int, 3>());
    case 5:
      return use(std::integral_constant<int, 5>());
    case 7:
      return use(std::integral_constant<int, 7>());
    case 9:
      return use(std::integral_constant<int, 9>());
    case 11:
      return use(std::integral_constant<int, 11>());
    case 13:
      return use(std::integral_constant<int, 13>());
    case 15:
      return use(std::integral_constant<int, 15>());
    case 17:
      return use(std::integral_constant<int, 17>());
    case 19:
      return use(std::integral_constant<int, 19>());
    default:
      return use(std::integral_constant<int, 21>());
  }
}

}  // namespace
}  // namespace proxytune::similarity
