#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gpu_jobs.h"
#include "window_blocks.h"

/// How many threads each kernel takes, in what blocks. Read by nvcc in C++17.
namespace proxytune::similarity {

constexpr int warp_size = 32;
constexpr int warps_of_block = 4;
constexpr int threads_of_block = 256;

struct Launch {
  unsigned grid_x, grid_y, grid_z;
  unsigned threads;
  std::size_t shared_bytes;
};

inline int quotient_up(int value, int by) {
  return (value + by - 1) / by;
}

/// Partials of a pair.
inline std::size_t partials_of(const WindowGrid& grid) {
  return static_cast<std::size_t>(grid.bands) * static_cast<std::size_t>(grid.centre_planes) *
         static_cast<std::size_t>(grid.blocks) * block_width;
}

/// Every thread keeps its column's sums along z, so many at a time.
inline std::size_t column_bytes(const WindowGrid& grid, int kinds) {
  const int rows = std::min(band_rows, grid.centre_rows) + grid.window - 1;
  return static_cast<std::size_t>(rows * warp_size * warps_of_block * kinds) *
         sizeof(std::int32_t);
}

inline Launch launch_of(const RoundingJob& job) {
  const auto threads = static_cast<unsigned>(threads_of_block);
  return {(static_cast<unsigned>(job.grid.stride) + threads - 1) / threads,
          static_cast<unsigned>(job.grid.plane_rows),
          static_cast<unsigned>(job.grid.planes),
          threads,
          0};
}

inline Launch launch_of(const MomentsJob& job) {
  const int warps = job.grid.bands * job.grid.chunks;
  return {static_cast<unsigned>(quotient_up(warps, warps_of_block)),
          1,
          static_cast<unsigned>(quotient_up(job.grid.centre_planes, job.slab)),
          static_cast<unsigned>(warps_of_block * warp_size),
          column_bytes(job.grid, 2)};
}

/// The pairs come first: blocks that run together share what they fetch.
inline Launch launch_of(const CorrelationJob& job) {
  return {static_cast<unsigned>(quotient_up(job.pair_count, warps_of_block)),
          static_cast<unsigned>(job.grid.bands * job.grid.chunks),
          static_cast<unsigned>(quotient_up(job.grid.centre_planes, job.slab)),
          static_cast<unsigned>(warps_of_block * warp_size),
          column_bytes(job.grid, 1)};
}

/// A block adds 8 planes at a time.
inline Launch launch_of(const CorrelationSumsJob& job) {
  constexpr unsigned threads = 8 * block_width;
  return {static_cast<unsigned>(job.pair_count), 1, 1, threads, threads * sizeof(float)};
}

/// Between private histograms, so that equal cells of two lie in different banks.
constexpr int histogram_gap = 11;

/// Of one private histogram.
inline std::size_t histogram_bytes(int bins) {
  return static_cast<std::size_t>(bins * bins + histogram_gap) * sizeof(std::uint32_t);
}

inline Launch launch_of(const JointCountsJob& job) {
  return {static_cast<unsigned>(job.pair_count),
          static_cast<unsigned>(job.parts),
          1,
          static_cast<unsigned>(threads_of_block),
          static_cast<std::size_t>(job.copies) * histogram_bytes(job.bins)};
}

inline Launch launch_of(const JointSumsJob& job) {
  constexpr unsigned threads = 128;
  return {static_cast<unsigned>(job.pair_count),
          1,
          1,
          threads,
          (static_cast<std::size_t>(job.bins) + 2) * sizeof(double)};
}

}  // namespace proxytune::similarity
