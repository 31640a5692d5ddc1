#include "ops/norm_rows.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "ops/clones.h"

namespace proxytune::ops {
namespace {

constexpr std::int64_t lanes = 16;
// Values whose sums are kept in float before they go on in double.
constexpr std::int64_t block_values = 256 * lanes;

/// The lanes in one register, or in as many as the instruction set needs.
using Whole = float __attribute__((vector_size(4 * lanes)));
using Half = float __attribute__((vector_size(2 * lanes)));

/// The same in two registers by our own hand: what GCC splits itself goes by way of the stack.
struct Halves {
  Half low = {};
  Half high = {};
};
PROXYTUNE_INLINE Halves operator+(const Halves& a, const Halves& b) {
  return {a.low + b.low, a.high + b.high};
}
PROXYTUNE_INLINE Halves& operator+=(Halves& a, const Halves& b) {
  a.low += b.low;
  a.high += b.high;
  return a;
}
PROXYTUNE_INLINE Halves operator-(const Halves& a, float b) {
  return {a.low - b, a.high - b};
}
PROXYTUNE_INLINE Halves operator*(const Halves& a, const Halves& b) {
  return {a.low * b.low, a.high * b.high};
}
PROXYTUNE_INLINE Halves operator*(const Halves& a, float b) {
  return {a.low * b, a.high * b};
}

/// Lane by lane, `above` where the value is above zero.
template <class Vector>
PROXYTUNE_INLINE void by_sign(const Vector& value,
                              const Vector& above,
                              const Vector& below,
                              Vector& to) {
  to = value > 0 ? above : below;
}
PROXYTUNE_INLINE void by_sign(const Halves& value,
                              const Halves& above,
                              const Halves& below,
                              Halves& to) {
  to.low = value.low > 0 ? above.low : below.low;
  to.high = value.high > 0 ? above.high : below.high;
}

/// As many sums as hide how long an addition takes.
template <class Vector>
struct Sums {
  Vector even = {};
  Vector odd = {};
  PROXYTUNE_INLINE double total() const {
    const Vector both = even + odd;
    float values[lanes];
    std::memcpy(values, &both, sizeof(values));
    double sum = 0;
    for (const float value : values)
      sum += static_cast<double>(value);
    return sum;
  }
};

template <class Vector>
PROXYTUNE_INLINE void load(const float* from, Vector& to) {
  std::memcpy(&to, from, sizeof(to));
}
PROXYTUNE_INLINE void load(const float* from, Halves& to) {
  std::memcpy(&to.low, from, sizeof(to.low));
  std::memcpy(&to.high, from + lanes / 2, sizeof(to.high));
}
/// The first `count`, and `otherwise` in the lanes that are left.
template <class Vector>
PROXYTUNE_INLINE void load(const float* from, std::int64_t count, float otherwise, Vector& to) {
  float values[lanes];
  for (int lane = 0; lane < lanes; ++lane)
    values[lane] = lane < count ? from[lane] : otherwise;
  load(values, to);
}

/// Calls with an offset, the number of values there, and whether it is an even one of its
/// row's.
template <class Call>
PROXYTUNE_INLINE void in_lanes(const RowExtents& extents,
                               std::int64_t first_row,
                               std::int64_t rows,
                               const Call& call) {
  constexpr std::integral_constant<std::int64_t, lanes> all;
  for (std::int64_t y = first_row; y < first_row + rows; ++y) {
    const std::int64_t row = y * extents.pitch;
    std::int64_t x = 0;
    for (; x + 2 * lanes <= extents.count; x += 2 * lanes) {
      call(row + x, all, std::true_type{});
      call(row + x + lanes, all, std::false_type{});
    }
    for (; x + lanes <= extents.count; x += lanes)
      call(row + x, all, std::true_type{});
    if (x < extents.count)
      call(row + x, extents.count - x, std::false_type{});
  }
}

template <class Count, class Vector>
PROXYTUNE_INLINE void load_some(const float* from, Count count, float otherwise, Vector& to) {
  if constexpr (std::is_same_v<Count, std::int64_t>)
    load(from, count, otherwise, to);
  else
    load(from, to);
}

PROXYTUNE_INLINE void store(const Halves& from,
                            std::integral_constant<std::int64_t, lanes>,
                            float* to) {
  std::memcpy(to, &from.low, sizeof(from.low));
  std::memcpy(to + lanes / 2, &from.high, sizeof(from.high));
}
template <class Vector>
PROXYTUNE_INLINE void store(const Vector& from, std::int64_t count, float* to) {
  std::memcpy(to, &from, static_cast<std::size_t>(count) * sizeof(float));
}

/// Calls with the first row and the number of rows of each block.
template <class Call>
PROXYTUNE_INLINE void in_blocks(const RowExtents& extents, const Call& call) {
  const std::int64_t step = std::max<std::int64_t>(1, block_values / extents.count);
  for (std::int64_t y = 0; y < extents.rows; y += step)
    call(y, std::min(step, extents.rows - y));
}

template <class Vector>
PROXYTUNE_INLINE void add_moments_in(const RowExtents& extents,
                                     const float* values,
                                     ChannelMoments& moments) {
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    // Deviations from a number near the block's mean, so that nothing cancels.
    Sums<Vector> sum;
    in_lanes(
        extents, first, 1, [&](std::int64_t at, auto n, auto even) PROXYTUNE_INLINE_LAMBDA {
          Vector value;
          load_some(values + at, n, 0, value);
          (even ? sum.even : sum.odd) += value;
        });
    const auto pivot = static_cast<float>(sum.total() / static_cast<double>(extents.count));
    Sums<Vector> plain;
    Sums<Vector> square;
    in_lanes(
        extents, first, rows, [&](std::int64_t at, auto n, auto even) PROXYTUNE_INLINE_LAMBDA {
          Vector value;
          load_some(values + at, n, pivot, value);
          const Vector deviation = value - pivot;
          (even ? plain.even : plain.odd) += deviation;
          (even ? square.even : square.odd) += deviation * deviation;
        });
    const auto count = static_cast<double>(rows * extents.count);
    const double off = plain.total() / count;
    const double mean = static_cast<double>(pivot) + off;
    const double delta = mean - moments.mean;
    const double all = moments.count + count;
    moments.mean += delta * count / all;
    moments.squares +=
        square.total() - count * off * off + delta * delta * moments.count * count / all;
    moments.count = all;
  });
}

template <class Vector>
PROXYTUNE_INLINE void pass_activation_in(const RowExtents& extents,
                                         const ChannelNorm& norm,
                                         const float* __restrict values,
                                         float* __restrict gradients,
                                         ChannelGradient& sums) {
  const ChannelNorm by = norm;
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    Sums<Vector> plain;
    Sums<Vector> weighted;
    Sums<Vector> of_slope;
    in_lanes(
        extents, first, rows, [&](std::int64_t at, auto n, auto even) PROXYTUNE_INLINE_LAMBDA {
          Vector value;
          Vector after;
          load_some(values + at, n, 0, value);
          load_some(gradients + at, n, 0, after);
          const Vector zero = {};
          const Vector normal = (value - by.mean) * by.scale;
          const Vector sloped = after * by.slope;
          Vector before;
          Vector negative;
          by_sign(normal, after, sloped, before);
          by_sign(normal, zero, normal, negative);
          store(before, n, gradients + at);
          (even ? plain.even : plain.odd) += before;
          (even ? weighted.even : weighted.odd) += before * normal;
          (even ? of_slope.even : of_slope.odd) += after * negative;
        });
    sums.plain += plain.total();
    sums.weighted += weighted.total();
    sums.slope += of_slope.total();
  });
}

template <class Vector>
PROXYTUNE_INLINE double sum_of_in(const RowExtents& extents, const float* values) {
  double result = 0;
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    Sums<Vector> sum;
    in_lanes(
        extents, first, rows, [&](std::int64_t at, auto n, auto even) PROXYTUNE_INLINE_LAMBDA {
          Vector value;
          load_some(values + at, n, 0, value);
          (even ? sum.even : sum.odd) += value;
        });
    result += sum.total();
  });
  return result;
}

PROXYTUNE_FOR_AVX2 void add_moments_avx2(const RowExtents& extents,
                                         const float* values,
                                         ChannelMoments& moments) {
  add_moments_in<Halves>(extents, values, moments);
}

PROXYTUNE_FOR_AVX2 void pass_activation_avx2(const RowExtents& extents,
                                             const ChannelNorm& norm,
                                             const float* values,
                                             float* gradients,
                                             ChannelGradient& sums) {
  pass_activation_in<Halves>(extents, norm, values, gradients, sums);
}

PROXYTUNE_FOR_AVX2 double sum_of_avx2(const RowExtents& extents, const float* values) {
  return sum_of_in<Halves>(extents, values);
}

PROXYTUNE_CLONES
void add_moments_elsewhere(const RowExtents& extents,
                           const float* values,
                           ChannelMoments& moments) {
  add_moments_in<Whole>(extents, values, moments);
}

PROXYTUNE_CLONES
void pass_activation_elsewhere(const RowExtents& extents,
                               const ChannelNorm& norm,
                               const float* values,
                               float* gradients,
                               ChannelGradient& sums) {
  pass_activation_in<Whole>(extents, norm, values, gradients, sums);
}

PROXYTUNE_CLONES
double sum_of_elsewhere(const RowExtents& extents, const float* values) {
  return sum_of_in<Whole>(extents, values);
}

}  // namespace

void add_moments(const RowExtents& extents, const float* values, ChannelMoments& moments) {
  (widest_is_avx2() ? add_moments_avx2 : add_moments_elsewhere)(extents, values, moments);
}

void pass_activation(const RowExtents& extents,
                     const ChannelNorm& norm,
                     const float* values,
                     float* gradients,
                     ChannelGradient& sums) {
  (widest_is_avx2() ? pass_activation_avx2 : pass_activation_elsewhere)(
      extents, norm, values, gradients, sums);
}

double sum_of(const RowExtents& extents, const float* values) {
  return (widest_is_avx2() ? sum_of_avx2 : sum_of_elsewhere)(extents, values);
}

PROXYTUNE_CLONES
void activate(const RowExtents& extents,
              const ChannelNorm& norm,
              const float* from,
              float* to) {
  const ChannelNorm by = norm;
  for (std::int64_t y = 0; y < extents.rows; ++y) {
    const float* const row = from + y * extents.pitch;
    float* const active = to + y * extents.pitch;
#if !defined(__clang__)
#pragma GCC ivdep
#endif
    for (std::int64_t x = 0; x < extents.count; ++x) {
      const float normal = (row[x] - by.mean) * by.scale;
      const float sloped = by.slope * normal;
      active[x] = normal > 0 ? normal : sloped;
    }
  }
}

PROXYTUNE_CLONES
void pass_norm(const RowExtents& extents,
               const ChannelNorm& norm,
               float mean_plain,
               float mean_weighted,
               const float* __restrict values,
               float* __restrict gradients) {
  const ChannelNorm by = norm;
  for (std::int64_t y = 0; y < extents.rows; ++y) {
    const float* __restrict const value = values + y * extents.pitch;
    float* __restrict const gradient = gradients + y * extents.pitch;
    for (std::int64_t x = 0; x < extents.count; ++x) {
      const float normal = (value[x] - by.mean) * by.scale;
      gradient[x] = by.scale * (gradient[x] - mean_plain - normal * mean_weighted);
    }
  }
}

}  // namespace proxytune::ops
