#pragma once

// Local NCC on a GPU, to the bits of window_loops.h. All sums are integers; only correlations
// are floats, added over a band's rows here, and over blocks, lanes and planes by
// add_up_correlations().

#include <cstddef>
#include <cstdint>

#include "gpu_march.cuh"

namespace proxytune::similarity {
namespace {

__device__ inline float squared_correlation(std::int64_t cross, float one, float other) {
  const float correlation = static_cast<float>(cross) * (one * other);
  return correlation * correlation;
}

/// A warp of CorrelationJob.
template <int Window>
struct Correlating {
  const WindowGrid& grid;
  const CentredOnGpu& one;
  const CentredOnGpu& other;
  const March& march;
  Column<Window>& products;
  bool counts_flat;
  std::uint32_t flat = 0;

  /// What the plane brings to the sums along z. `full`: the window reaches over all its planes.
  __device__ std::int32_t product_at(std::size_t at, bool full) const {
    const std::uint32_t a = codes_at(one.pairs, march, at, full);
    const std::uint32_t b = codes_at(other.pairs, march, at, full);
    return low(a) * low(b) - high(a) * high(b);
  }
  /// While the window along z fills.
  __device__ void fill(int plane, bool full) {
    std::size_t from = code_at(grid, march, plane);
#pragma unroll 8
    for (int y = 0; y < march.rows + Window - 1; ++y) {
      products.sums[y * warp_size] += product_at(from, full);
      from += static_cast<std::size_t>(grid.stride);
    }
  }
  /// The sum over the band's rows of squared correlations in this thread's column.
  __device__ float add_plane(int plane, bool full) {
    std::size_t from = code_at(grid, march, plane);
    std::size_t at = centre_at(grid, march, plane - Window + 1);
    float lane = 0;
    products.begin_plane();
#pragma unroll 4
    for (int y = 0; y < Window - 1; ++y) {
      products.enter(y, product_at(from, full));
      from += static_cast<std::size_t>(grid.stride);
    }
#pragma unroll 4
    for (int y = Window - 1; y < march.rows + Window - 1; ++y) {
      products.enter(y, product_at(from, full));
      from += static_cast<std::size_t>(grid.stride);
      const std::int64_t sum = sum_of_neighbours<Window>(products.window);
      if (march.is_centre)
        lane += correlation_at(at, sum);
      at += block_width;
    }
    return lane;
  }
  __device__ float correlation_at(std::size_t at, std::int64_t sum) {
    constexpr std::int64_t voxels = Window * Window * Window;
    const std::int64_t means =
        static_cast<std::int64_t>(__ldg(one.sums + at)) * __ldg(other.sums + at);
    const float norm = __ldg(one.inverse_norms + at);
    const float other_norm = __ldg(other.inverse_norms + at);
    if (counts_flat && march.column < grid.centre_columns && (norm == 0 || other_norm == 0))
      ++flat;
    return squared_correlation(voxels * sum - means, norm, other_norm);
  }
};

template <int Window>
__global__ void __launch_bounds__(warps_of_block* warp_size)
    correlate_windows(CorrelationJob job) {
  const WindowGrid& grid = job.grid;
  const int index =
      static_cast<int>(blockIdx.x) * warps_of_block + static_cast<int>(threadIdx.x) / warp_size;
  if (index >= job.pair_count)
    return;
  const GpuPair pair = job.pairs[index];
  const int band = static_cast<int>(blockIdx.y) / grid.chunks;
  const March march =
      march_of(grid, static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z), job.slab);
  const CentredOnGpu one = job.images[pair.row];
  const CentredOnGpu other = job.images[pair.column];
  Column<Window> products = empty_column<Window>(grid, 0, 1);
  Correlating<Window> work{grid, one, other, march, products, job.flat != nullptr};
  const std::size_t width = static_cast<std::size_t>(grid.blocks) * block_width;
  float* partial = job.partials +
                   ((static_cast<std::size_t>(index) * static_cast<std::size_t>(grid.bands) +
                     static_cast<std::size_t>(band)) *
                        static_cast<std::size_t>(grid.centre_planes) +
                    static_cast<std::size_t>(march.first_plane)) *
                       width +
                   static_cast<std::size_t>(march.column);
  for (int step = 0; step < Window - 1; ++step)
    work.fill(march.first_plane + step, false);
  for (int centre = 0; centre < march.planes; ++centre) {
    const float lane = work.add_plane(march.first_plane + centre + Window - 1, centre > 0);
    if (march.is_centre)
      *partial = lane;
    partial += width;
  }
  if (work.flat > 0)
    atomicAdd(job.flat + index, work.flat);
}

/// Blocks are added lane by lane, then each plane's 16 lanes to the sum: band by band, plane by
/// plane, as correlate() and correlate_plane() do.
__global__ void add_up_correlations(CorrelationSumsJob job) {
  const WindowGrid& grid = job.grid;
  auto* const lanes = reinterpret_cast<float*>(shared_words);
  const int planes = grid.bands * grid.centre_planes;
  const int at_once = static_cast<int>(blockDim.x) / block_width;
  const int plane = static_cast<int>(threadIdx.x) / block_width;
  const int lane = static_cast<int>(threadIdx.x) % block_width;
  const std::size_t width = static_cast<std::size_t>(grid.blocks) * block_width;
  const float* const partials = job.partials + static_cast<std::size_t>(blockIdx.x) *
                                                   static_cast<std::size_t>(planes) * width;
  double sum = 0;
  for (int first = 0; first < planes; first += at_once) {
    float total = 0;
    if (first + plane < planes)
      for (int block = 0; block < grid.blocks; ++block)
        total += partials[static_cast<std::size_t>(first + plane) * width +
                          static_cast<std::size_t>(block * block_width + lane)];
    lanes[threadIdx.x] = total;
    __syncthreads();
    if (threadIdx.x == 0)
      for (unsigned i = 0; i < blockDim.x; ++i)
        sum += static_cast<double>(lanes[i]);
    __syncthreads();
  }
  if (threadIdx.x == 0)
    job.sums[blockIdx.x] = sum;
}

}  // namespace
}  // namespace proxytune::similarity
