#pragma once

// Local NCC on a GPU, to the bits of window_loops.h. A warp goes through a band of rows plane
// by plane; each thread keeps the sums along z of its column of the band in shared memory,
// slides a window's sum down y, and adds its neighbours' by shuffles. So warps wait for nobody,
// and of 32 columns all but window - 1 are centres. All sums are integers; only correlations
// are floats, added over a band's rows here, and over blocks, lanes and planes by
// add_up_correlations().

#include <cmath>
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
            contrast ? static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance)))
                     : 0.0F;
        to += block_width;
      }
    }
  }
}

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
