#pragma once

// Joint histograms on a GPU. Counts are integers, so that neither the order of voxels nor that
// of threads changes one. What would make threads wait for one another is a cell that many
// count at once, as the end bins do, which intensity windows fill: so a thread takes 16
// neighbouring voxels at a time, adds a run of one cell at once, however long it gets, and
// neighbouring threads count in different copies of the histogram.

#include <cstddef>
#include <cstdint>

#include "gpu_launch.h"
#include "gpu_shared.cuh"

namespace proxytune::similarity {
namespace {

/// Voxels of one cell, one after the other, that are not yet in the histogram.
struct Run {
  std::uint32_t* histogram;
  std::uint32_t cell = 0;
  std::uint32_t count = 0;

  __device__ void add(std::uint32_t next, std::uint32_t voxels) {
    if (next != cell) {
      end();
      cell = next;
      count = 0;
    }
    count += voxels;
  }
  __device__ void end() const {
    if (count > 0)
      atomicAdd(histogram + cell, count);
  }
};

__device__ inline bool all_equal(const uint4& codes) {
  return codes.x == codes.y && codes.x == codes.z && codes.x == codes.w &&
         codes.x == (codes.x & 0xFFU) * 0x01010101U;
}

__device__ inline void add_four(std::uint32_t rows,
                                std::uint32_t columns,
                                std::uint32_t bins,
                                Run& run) {
#pragma unroll
  for (unsigned bit = 0; bit < 32; bit += 8)
    run.add(((rows >> bit) & 0xFFU) * bins + ((columns >> bit) & 0xFFU), 1);
}

__device__ inline void add_sixteen(const uint4& rows,
                                   const uint4& columns,
                                   std::uint32_t bins,
                                   Run& run) {
  if (all_equal(rows) && all_equal(columns)) {
    run.add((rows.x & 0xFFU) * bins + (columns.x & 0xFFU), 16);
    return;
  }
  add_four(rows.x, columns.x, bins, run);
  add_four(rows.y, columns.y, bins, run);
  add_four(rows.z, columns.z, bins, run);
  add_four(rows.w, columns.w, bins, run);
}

/// Counts this block's part of its pair's voxels.
__device__ inline void count_part(const JointCountsJob& job, Run run) {
  const GpuPair pair = job.pairs[blockIdx.x];
  const std::uint8_t* const rows = job.images[pair.row];
  const std::uint8_t* const columns = job.images[pair.column];
  const auto* const many_rows = reinterpret_cast<const uint4*>(rows);
  const auto* const many_columns = reinterpret_cast<const uint4*>(columns);
  const auto bins = static_cast<std::uint32_t>(job.bins);
  const std::size_t pieces = job.voxels / 16;
  const std::size_t each = (pieces + gridDim.y - 1) / gridDim.y;
  const std::size_t begin = each * blockIdx.y;
  const std::size_t end = begin + each < pieces ? begin + each : pieces;
  for (std::size_t piece = begin + threadIdx.x; piece < end; piece += blockDim.x)
    add_sixteen(__ldg(many_rows + piece), __ldg(many_columns + piece), bins, run);
  const std::size_t left = 16 * pieces + threadIdx.x;
  if (blockIdx.y == 0 && left < job.voxels)
    run.add(rows[left] * bins + columns[left], 1);
  run.end();
}

__global__ void count_in_shared_memory(JointCountsJob job) {
  const auto cells = static_cast<unsigned>(job.bins * job.bins);
  const auto copies = static_cast<unsigned>(job.copies);
  const unsigned distance = cells + histogram_gap;
  for (unsigned i = threadIdx.x; i < copies * distance; i += blockDim.x)
    shared_words[i] = 0;
  __syncthreads();
  count_part(job, Run{shared_words + threadIdx.x % copies * distance});
  __syncthreads();
  std::uint32_t* const joint = job.joint + static_cast<std::size_t>(blockIdx.x) * cells;
  for (unsigned cell = threadIdx.x; cell < cells; cell += blockDim.x) {
    std::uint32_t count = 0;
    for (unsigned copy = 0; copy < copies; ++copy)
      count += shared_words[copy * distance + cell];
    if (count > 0)
      atomicAdd(joint + cell, count);
  }
}

/// Where one histogram is larger than shared memory.
__global__ void count_in_global_memory(JointCountsJob job) {
  const auto cells = static_cast<unsigned>(job.bins * job.bins);
  count_part(job, Run{job.joint + static_cast<std::size_t>(blockIdx.x) * cells});
}

/// A cell and its mirror image first, row by row, one after the other, as
/// MutualInformation::sum_up.
__global__ void sum_up_joints(JointSumsJob job) {
  auto* const terms = reinterpret_cast<double*>(shared_words);
  auto* const occupied = reinterpret_cast<std::uint32_t*>(terms + job.bins);
  const auto bins = static_cast<unsigned>(job.bins);
  const std::uint32_t* const joint =
      job.joint + static_cast<std::size_t>(blockIdx.x) * bins * bins;
  std::uint32_t mine = 0;
  double sum = 0;
  if (threadIdx.x == 0)
    *occupied = 0;
  for (unsigned row = 0; row < bins; ++row) {
    for (unsigned column = row + threadIdx.x; column < bins; column += blockDim.x) {
      const std::uint32_t count = joint[row * bins + column];
      const std::uint32_t mirrored = joint[column * bins + row];
      const double term = job.logarithms[count];
      terms[column] = column == row ? term : term + job.logarithms[mirrored];
      mine += (count > 0 ? 1U : 0U) + (column > row && mirrored > 0 ? 1U : 0U);
    }
    __syncthreads();
    if (threadIdx.x == 0)
      for (unsigned column = row; column < bins; ++column)
        sum += terms[column];
    __syncthreads();
  }
  if (mine > 0)
    atomicAdd(occupied, mine);
  __syncthreads();
  if (threadIdx.x == 0)
    job.sums[blockIdx.x] = {sum, static_cast<int>(*occupied)};
}

}  // namespace
}  // namespace proxytune::similarity
