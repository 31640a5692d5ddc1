#pragma once

#include <cstdint>
#include <span>

#include "ops/bfloat16.h"

// Loops over rows of values. No LibTorch here.
namespace proxytune::ops {

/// Bfloat16 to float32 and back, rounded to the nearest, ties to even; NaN stays NaN.
void widen(const std::uint16_t* narrow, std::int64_t count, float* wide);
void narrow(const float* wide, std::int64_t count, std::uint16_t* narrow);

/// Sums of bfloat16 numbers, rounded as above.
void add(const std::uint16_t* first,
         const std::uint16_t* second,
         std::int64_t count,
         std::uint16_t* sums);

/// Each word's low half into one row, its high half into another.
void split_pairs(const std::uint32_t* pairs,
                 std::int64_t count,
                 std::uint16_t* low,
                 std::uint16_t* high);

/// Two rows, narrowed, as the low and the high halves of words; `high` may be null: zeros.
void narrow_to_pairs(const float* low,
                     const float* high,
                     std::int64_t count,
                     std::uint32_t* pairs);

/// Adds the sum of each channel of [voxels][channels].
void add_channels(const float* values, std::int64_t voxels, std::span<double> sums);
void add_channels(const Bfloat16* values, std::int64_t voxels, std::span<double> sums);

}  // namespace proxytune::ops
