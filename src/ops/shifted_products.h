#pragma once

#include <cstddef>
#include <cstdint>

// The two loops that own convolutions consist of, for one instruction set and arithmetic each.
// A source is a row of values that a tap shifts by moving the pointer; a vector is `bytes`
// bytes of it. No LibTorch here.
namespace proxytune::ops {

/// result[o][n] = initial[o] + sum over k of weights[k][o] * sources[k][n].
/// Float32: a word is a float. Bfloat16: a word is two neighbouring channels of one position,
/// and their two products are added.
struct Products {
  int terms = 0;
  int outputs = 0;                            // 1 to most_outputs
  std::int64_t vectors = 0;                   // of words to read of each source, and to write
  const std::byte* const* sources = nullptr;  // [terms], any alignment
  const std::uint32_t* weights = nullptr;     // [terms][outputs], words
  const float* initial = nullptr;             // [outputs]
  float* result = nullptr;                    // [outputs][pitch]
  std::int64_t pitch = 0;
};

/// sums[k][o][lane] += the products sources[k][n] * others[o][n] of that lane. Float32: a
/// vector is `lanes` floats. Bfloat16: it is twice as many values, neighbours in one lane.
struct Dots {
  int terms = 0;
  int outputs = 0;  // 1 to most_outputs
  std::int64_t vectors = 0;
  const std::byte* const* sources = nullptr;  // [terms], any alignment
  const std::byte* const* others = nullptr;   // [outputs]
  float* sums = nullptr;                      // [terms][outputs][lanes]
};

inline constexpr int most_outputs = 8;
inline constexpr int most_lanes = 16;

struct ProductKernels {
  int lanes = 0;  // floats of a vector
  void (*add_products)(const Products&) = nullptr;
  void (*add_dots)(const Dots&) = nullptr;
  /// words [count][stride], of which the first `channels` of each position, to rows [channels]
  /// `pitch` words apart.
  void (*part_channels)(const std::uint32_t* words,
                        std::int64_t stride,
                        std::int64_t count,
                        int channels,
                        std::uint32_t* rows,
                        std::int64_t pitch) = nullptr;
  /// The way back: rows [channels], `pitch` words apart, to words [count][stride].
  void (*join_channels)(const std::uint32_t* rows,
                        std::int64_t pitch,
                        std::int64_t count,
                        int channels,
                        std::uint32_t* words,
                        std::int64_t stride) = nullptr;
  /// The same where each word is a pair of bfloat16 numbers and each row has floats: twice as
  /// many rows as `pairs`. Joining rounds to the nearest, ties to even; NaN stays NaN.
  void (*part_pairs)(const std::uint32_t* words,
                     std::int64_t stride,
                     std::int64_t count,
                     int pairs,
                     std::uint32_t* rows,
                     std::int64_t pitch) = nullptr;
  void (*join_pairs)(const std::uint32_t* rows,
                     std::int64_t pitch,
                     std::int64_t count,
                     int pairs,
                     std::uint32_t* words,
                     std::int64_t stride) = nullptr;
};

/// What this processor runs, held to the instruction set that LibTorch reports and
/// ATEN_CPU_CAPABILITY may lower, since results are promised for equal ones; null where there
/// is none for it.
const ProductKernels* float_kernels();
const ProductKernels* bfloat16_kernels();

}  // namespace proxytune::ops
