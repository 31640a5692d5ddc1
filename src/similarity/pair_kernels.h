#pragma once

#include <cstddef>
#include <cstdint>

#include "proxytune/similarity/instruction_set.h"
#include "window_blocks.h"

/// The loops over voxels, once for each instruction set. They are plain pointers and integers,
/// so that sources compiled for newer processors share no inline function with the rest.
namespace proxytune::similarity {

/// Of doubles that a plane's windows take.
constexpr std::size_t rows_of_scratch = 8;

/// Adds to `columns` (rows x stride) what one plane brings to the sums of products along z: of
/// each image, `rows` x `stride` pairs of codes, of this plane and of the plane that leaves the
/// window.
struct PlaneProducts {
  const std::int16_t* one;
  const std::int16_t* other;
  std::int32_t* columns;
  std::size_t values;  // rows x stride
};

/// Memory that is read soon: a kernel may ask for it while it computes, so many cache lines for
/// each row, and counts what it has asked for off.
struct Coming {
  struct Stretch {
    const char* at;
    std::size_t lines;
  };
  Stretch* next;
  const Stretch* end;
  std::size_t lines_a_row;
};
constexpr std::size_t line_bytes = 64;

/// The same as PlaneProducts, and then squared correlations of all windows whose centres lie in
/// one plane of a band, added to 16 lanes by position modulo 16.
struct PlaneCorrelations {
  PlaneProducts products;  // (rows + window - 1) x stride
  std::size_t stride;
  std::size_t rows;    // of centres
  std::size_t blocks;  // of 16 centres along x
  int window;
  // Of both images, rows x (16 blocks): sums of codes, and 1 / sqrt(N sum c^2 - (sum c)^2), or
  // 0.
  const std::int32_t* sums_one;
  const std::int32_t* sums_other;
  const float* inverse_norms_one;
  const float* inverse_norms_other;
  float* lanes;
  double* scratch;  // rows_of_scratch x stride
  Coming* coming;
};

/// The joint histogram of two images' codes: `joint[row * stride + column]` counts, added up.
struct JointCounts {
  const std::uint8_t* rows;
  const std::uint8_t* columns;
  std::size_t voxels;
  int stride;                  // 1 to 127, or 256
  std::uint16_t* tables;       // 4 of them, zero before and after
  std::size_t table_distance;  // from one table to the next, at least `cells`
  std::size_t cells;
  std::uint32_t* joint;  // `cells` counts
};

/// The codes of a plane that enters the window along z, and those of the plane that leaves it
/// (zeros, where there is none): written side by side, and added to the sums along z.
struct PlaneCodes {
  const std::int16_t* codes;
  const std::int16_t* leaving;
  std::int16_t* pairs;
  std::int32_t* columns;
  std::int32_t* squared_columns;
  std::size_t values;
};

/// What every pair of an image shares: sums of codes and inverse norms of the windows whose
/// centres lie in one plane, laid out as PlaneCorrelations reads them.
struct PlaneMoments {
  const std::int32_t* columns;          // sums along z of codes
  const std::int32_t* squared_columns;  // and of their squares
  std::size_t stride;
  std::size_t rows;
  std::size_t blocks;
  int window;
  std::int32_t* sums;
  float* inverse_norms;
  double* scratch;  // rows_of_scratch x stride
};

struct Range {
  float low, high;
};

struct PairKernels {
  void (*add_products)(const PlaneProducts&);
  void (*enter_codes)(const PlaneCodes&);
  void (*keep_moments)(const PlaneMoments&);
  void (*add_correlations)(const PlaneCorrelations&);
  void (*count_jointly)(const JointCounts&);
  /// Of at least one value.
  Range (*range_of)(const float* values, std::size_t count);
  /// To the nearest integer of (value - middle) * scale, ties to even.
  void (*round_codes)(
      const float* values, std::size_t count, double middle, double scale, std::int16_t* codes);
  /// min(floor((value - low) * scale), bins - 1).
  void (*bin_codes)(const float* values,
                    std::size_t count,
                    double low,
                    double scale,
                    int bins,
                    std::uint8_t* codes);
  // In 16 lanes by position, which are added in order.
  double (*dot_product)(const float* one, const float* other, std::size_t count);
  double (*squared_differences)(const float* one, const float* other, std::size_t count);
};

const PairKernels& pair_kernels(InstructionSet set);

}  // namespace proxytune::similarity
