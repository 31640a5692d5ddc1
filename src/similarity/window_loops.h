#pragma once

// The loops over windows, compiled once for each instruction set (pair_kernels_*.cpp). All
// arithmetic before the conversion to float is on integers, or on doubles that hold integers
// below 2^53, so no order and no fused multiply-add changes a bit; the float part keeps one
// order by its 16 lanes, and its roots and quotients are rounded as IEEE 754 says.

#include "code_products.h"

namespace proxytune::similarity {
namespace {

// Loops that the compiler turns into vectors, since nothing they write is what they read.
template <class Value>
inline void add_row(const std::int32_t* __restrict values,
                    Value* __restrict sums,
                    std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += values[i];
}
/// Of two sums along z the difference stays within 32 bits, too (largest_code).
template <class Value>
inline void add_change(const std::int32_t* __restrict entering,
                       const std::int32_t* __restrict leaving,
                       Value* __restrict sums,
                       std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += entering[i] - leaving[i];
}
template <class Value>
inline void add_neighbours(const Value* __restrict from,
                           std::size_t distance,
                           Value* __restrict to,
                           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = from[i] + from[i + distance];
}
template <class Value>
inline void add_three(const Value* __restrict from,
                      std::size_t distance,
                      Value* __restrict to,
                      std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = from[i] + from[i + distance] + from[i + 2 * distance];
}
template <class Value>
inline void add_two(const Value* __restrict one,
                    const Value* __restrict other,
                    Value* __restrict to,
                    std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = one[i] + other[i];
}

/// Four rows of scratch, each as long as a row of columns.
template <class Value>
struct Rows {
  Value* sums;
  Value* spare[2];
  Value* windows;
  Rows(Value* scratch, std::size_t stride)
      : sums(scratch),
        spare{scratch + stride, scratch + 2 * stride},
        windows(scratch + 3 * stride) {}
};

/// windows[i] = sums[i] + ... + sums[i + Window - 1] for `count` places, by doubling: sums of
/// 2, 4, 8 ... neighbours are sums of two earlier ones. Window is odd and 3 or more; 9 is three
/// times three.
template <int Window, class Value>
inline void sum_windows(const Rows<Value>& rows, std::size_t count) {
  if constexpr (Window == 9) {
    add_three(rows.sums, 1, rows.spare[0], count + 6);
    add_three(rows.spare[0], 3, rows.windows, count);
    return;
  }
  const Value* power = rows.sums;  // sums of `width` neighbours
  const Value* so_far = rows.sums;
  std::size_t width = 1;
  std::size_t covered = 1;
  int next = 0;
  for (int left = Window >> 1; left > 0; left >>= 1) {
    add_neighbours(power, width, rows.spare[next], count + Window - 2 * width);
    power = rows.spare[next];
    next = 1 - next;
    width *= 2;
    if ((left & 1) == 0)
      continue;
    if (so_far == rows.sums) {
      add_two(so_far, power + covered, rows.windows, count);
      so_far = rows.windows;
    } else {
      for (std::size_t i = 0; i < count; ++i)
        rows.windows[i] += power[i + covered];
    }
    covered += width;
  }
}

/// Sums along y of the windows that end in row y.
template <int Window, class Value>
inline void slide(const std::int32_t* columns, std::size_t y, std::size_t stride, Value* sums) {
  const std::int32_t* const entering = columns + y * stride;
  if (y == 0)
    for (std::size_t i = 0; i < stride; ++i)
      sums[i] = 0;
  if (y < Window)
    add_row(entering, sums, stride);
  else
    add_change(entering, entering - Window * stride, sums, stride);
}

inline void correlate_row(const double* __restrict products,
                          double voxels,
                          const std::int32_t* __restrict one,
                          const std::int32_t* __restrict other,
                          const float* __restrict inverse_one,
                          const float* __restrict inverse_other,
                          float* __restrict lanes) {
  for (int i = 0; i < block_width; ++i) {
    const double cross =
        voxels * products[i] - static_cast<double>(one[i]) * static_cast<double>(other[i]);
    const float correlation = static_cast<float>(cross) * (inverse_one[i] * inverse_other[i]);
    lanes[i] += correlation * correlation;
  }
}

/// Each block's rows are summed first, then the blocks: an order that blocks in registers keep
/// as well.
template <int Window>
void correlate(const PlaneCorrelations& work) {
  constexpr double voxels = Window * Window * Window;
  const std::size_t width = work.blocks * block_width;
  const Rows<double> rows(work.scratch, work.stride);
  auto* const lanes = reinterpret_cast<float*>(work.scratch + 4 * work.stride);
  for (std::size_t i = 0; i < width; ++i)
    lanes[i] = 0;
  add_products(work.products);
  for (std::size_t y = 0; y + 1 < work.rows + Window; ++y) {
    slide<Window>(work.products.columns, y, work.stride, rows.sums);
    if (y + 1 < Window)
      continue;
    sum_windows<Window>(rows, width);
    for (std::size_t block = 0; block < work.blocks; ++block) {
      const std::size_t at = ((y + 1 - Window) * work.blocks + block) * block_width;
      correlate_row(rows.windows + block * block_width,
                    voxels,
                    work.sums_one + at,
                    work.sums_other + at,
                    work.inverse_norms_one + at,
                    work.inverse_norms_other + at,
                    lanes + block * block_width);
    }
  }
  for (std::size_t block = 0; block < work.blocks; ++block)
    for (int i = 0; i < block_width; ++i)
      work.lanes[i] += lanes[block * block_width + i];
}

inline void keep_row(const std::int32_t* __restrict sums,
                     const double* __restrict squares,
                     double voxels,
                     std::int32_t* __restrict kept_sums,
                     float* __restrict inverse_norms,
                     std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto sum = static_cast<double>(sums[i]);
    const auto variance = static_cast<float>(voxels * squares[i] - sum * sum);
    // 1 / infinity is 0: one condition, before the root, lets the compiler make vectors.
    inverse_norms[i] = 1.0F / __builtin_sqrtf(variance > 0 ? variance : __builtin_inff());
    kept_sums[i] = sums[i];
  }
}

/// A window's codes add up to less than 2^31, so that their sums take half the room.
template <int Window>
void keep(const PlaneMoments& work) {
  constexpr double voxels = Window * Window * Window;
  const std::size_t width = work.blocks * block_width;
  const Rows<double> squares(work.scratch, work.stride);
  const Rows<std::int32_t> rows(reinterpret_cast<std::int32_t*>(work.scratch + 4 * work.stride),
                                work.stride);
  for (std::size_t y = 0; y + 1 < work.rows + Window; ++y) {
    slide<Window>(work.columns, y, work.stride, rows.sums);
    slide<Window>(work.squared_columns, y, work.stride, squares.sums);
    if (y + 1 < Window)
      continue;
    sum_windows<Window>(rows, width);
    sum_windows<Window>(squares, width);
    const std::size_t at = (y + 1 - Window) * width;
    keep_row(
        rows.windows, squares.windows, voxels, work.sums + at, work.inverse_norms + at, width);
  }
}

}  // namespace
}  // namespace proxytune::similarity
