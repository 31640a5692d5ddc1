#pragma once

#include <cstddef>
#include <cstdint>

/// What a GPU's kernels are given: plain pointers into its memory, and numbers. Read by nvcc in
/// C++17.
namespace proxytune::similarity {

/// Two images by their places in a job's table.
struct GpuPair {
  int row;
  int column;
};

/// A WindowLayout: `planes` x `plane_rows` x `stride` codes, windows centred at `centre_planes`
/// x `centre_rows` x `centre_columns`.
struct WindowGrid {
  int window;
  int planes;
  int plane_rows;
  int stride;
  int centre_planes;
  int centre_rows;
  int centre_columns;
  int blocks;  // of 16 centres along x
  int bands;   // of 48 rows of centres
  int chunks;  // of columns whose windows a warp sums up
};

/// A channel of a CentredImage; of a code and the one that leaves, the lower half is the first.
struct CentredOnGpu {
  const std::uint32_t* pairs;
  const std::int32_t* sums;
  const float* inverse_norms;
};

/// Rounds a channel's values, `radius` voxels inside the padded grid, to codes, and sets beside
/// each the code that leaves the window along z.
struct RoundingJob {
  WindowGrid grid;
  int radius;
  const float* values;
  double middle;
  double scale;
  std::int16_t outside;
  std::uint32_t* pairs;
};

/// Sums and inverse norms of all windows of a channel.
struct MomentsJob {
  WindowGrid grid;
  const std::uint32_t* pairs;
  int slab;  // centre planes that a warp goes through
  std::int32_t* sums;
  float* inverse_norms;
};

/// Squared correlations of all windows of each pair, added up over the rows of a band:
/// `partials` is (pair, band, centre plane, blocks x 16). `flat` (or null) counts, by pair, the
/// windows without contrast in either image; zero before.
struct CorrelationJob {
  WindowGrid grid;
  const CentredOnGpu* images;
  const GpuPair* pairs;
  int pair_count;
  int slab;
  float* partials;
  std::uint32_t* flat;
};

/// Adds the partials of each pair up in the processor's order.
struct CorrelationSumsJob {
  WindowGrid grid;
  const float* partials;
  int pair_count;
  double* sums;
};

/// Joint histograms: `joint` is (pair, bins, bins), zero before. The codes of each image, bytes
/// below `bins`, begin at a multiple of 16 bytes.
struct JointCountsJob {
  const std::uint8_t* const* images;
  const GpuPair* pairs;
  int pair_count;
  std::size_t voxels;
  int bins;
  int copies;  // private histograms of a thread block; 0: it counts in `joint`
  int parts;   // thread blocks of a pair
  std::uint32_t* joint;
};

struct JointSums {
  double count_logarithms;  // sum over cells of count * ln(count)
  int occupied;             // cells with a count
};

/// Sums of each joint histogram in the processor's order; `logarithms` holds n ln n for every n
/// that a cell can count.
struct JointSumsJob {
  const std::uint32_t* joint;
  int pair_count;
  int bins;
  const double* logarithms;
  JointSums* sums;
};

}  // namespace proxytune::similarity
