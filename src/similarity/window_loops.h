#pragma once

// The loops over windows, compiled once for each instruction set (pair_kernels_*.cpp). All
// arithmetic before the conversion to float is on integers, or on doubles that hold integers
// below 2^53, so no order and no fused multiply-add changes a bit; the float part keeps one
// order by its 16 lanes, and its roots and quotients are rounded as IEEE 754 says.

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "pair_kernels.h"

namespace proxytune::similarity {
namespace {

#if defined(__AVX512BW__)
using Pairs = __m512i;
inline Pairs load(const void* from) {
  return _mm512_loadu_si512(from);
}
inline void store(void* to, Pairs value) {
  _mm512_storeu_si512(to, value);
}
inline Pairs plus(Pairs a, Pairs b) {
  return _mm512_add_epi32(a, b);
}
/// one.low * other.low - one.high * other.high of every pair.
inline Pairs difference_of_products(Pairs one, Pairs other) {
  return _mm512_madd_epi16(
      one, _mm512_mask_sub_epi16(other, 0xAAAAAAAAU, _mm512_setzero_si512(), other));
}
#elif defined(__AVX2__)
using Pairs = __m256i;
inline Pairs load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
inline void store(void* to, Pairs value) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), value);
}
inline Pairs plus(Pairs a, Pairs b) {
  return _mm256_add_epi32(a, b);
}
inline Pairs difference_of_products(Pairs one, Pairs other) {
  const Pairs signs = _mm256_set1_epi32(static_cast<int>(0xFFFF0001U));
  return _mm256_madd_epi16(one, _mm256_sign_epi16(other, signs));
}
#elif defined(__SSE2__)
using Pairs = __m128i;
inline Pairs load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
inline void store(void* to, Pairs value) {
  _mm_storeu_si128(static_cast<__m128i*>(to), value);
}
inline Pairs plus(Pairs a, Pairs b) {
  return _mm_add_epi32(a, b);
}
inline Pairs difference_of_products(Pairs one, Pairs other) {
  const Pairs high = _mm_set1_epi32(static_cast<int>(0xFFFF0000U));
  return _mm_madd_epi16(one, _mm_sub_epi16(_mm_xor_si128(other, high), high));
}
#endif

void add_products(const PlaneProducts& work) {
  std::size_t i = 0;
#if defined(__SSE2__)
  constexpr std::size_t step = sizeof(Pairs) / sizeof(std::int32_t);
  for (; i + step <= work.values; i += step)
    store(work.columns + i,
          plus(load(work.columns + i),
               difference_of_products(load(work.one + 2 * i), load(work.other + 2 * i))));
#endif
  for (; i < work.values; ++i)
    work.columns[i] +=
        work.one[2 * i] * work.other[2 * i] - work.one[2 * i + 1] * work.other[2 * i + 1];
}

// Loops that the compiler turns into vectors, since nothing they write is what they read.
inline void add_row(const std::int32_t* __restrict values,
                    double* __restrict sums,
                    std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += values[i];
}
inline void subtract_row(const std::int32_t* __restrict values,
                         double* __restrict sums,
                         std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] -= values[i];
}
inline void add_neighbours(const double* __restrict from,
                           std::size_t distance,
                           double* __restrict to,
                           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = from[i] + from[i + distance];
}
inline void add_two(const double* __restrict one,
                    const double* __restrict other,
                    double* __restrict to,
                    std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = one[i] + other[i];
}

/// Three rows of scratch, each as long as a row of columns.
struct Rows {
  double* sums;
  double* spare[2];
  double* windows;
  Rows(double* scratch, std::size_t stride)
      : sums(scratch),
        spare{scratch + stride, scratch + 2 * stride},
        windows(scratch + 3 * stride) {}
};

/// windows[i] = sums[i] + ... + sums[i + Window - 1] for `count` places, by doubling: sums of
/// 2, 4, 8 ... neighbours are sums of two earlier ones. Window is odd and 3 or more.
template <int Window>
inline void sum_windows(const Rows& rows, std::size_t count) {
  const double* power = rows.sums;  // sums of `width` neighbours
  const double* so_far = rows.sums;
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
template <int Window>
inline void slide(const std::int32_t* columns,
                  std::size_t y,
                  std::size_t stride,
                  double* sums) {
  const std::int32_t* const entering = columns + y * stride;
  if (y == 0)
    for (std::size_t i = 0; i < stride; ++i)
      sums[i] = 0;
  add_row(entering, sums, stride);
  if (y >= Window)
    subtract_row(entering - Window * stride, sums, stride);
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
  const Rows rows(work.scratch, work.stride);
  auto* const lanes = reinterpret_cast<float*>(work.scratch + 4 * work.stride);
  for (std::size_t i = 0; i < width; ++i)
    lanes[i] = 0;
  for (std::size_t y = 0; y + 1 < work.rows + Window; ++y) {
    slide<Window>(work.columns, y, work.stride, rows.sums);
    if (y + 1 < Window)
      continue;
    sum_windows<Window>(rows, width);
    for (std::size_t block = 0; block < work.blocks; ++block) {
      const std::size_t at = (block * work.rows + y + 1 - Window) * block_width;
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

#if defined(__AVX512DQ__) && defined(__AVX512BW__)
/// Elements k, k + 1, ... of two neighbouring vectors.
template <int K>
inline __m512i shifted(__m512i low, __m512i high) {
  return _mm512_alignr_epi64(high, low, K);
}
inline __m512i widened(const std::int32_t* from) {
  return _mm512_cvtepi32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

/// Sums along y of 24 columns, and of 9 neighbours of them: the paper's window, in registers.
struct BlockOfNine {
  __m512i sums[3] = {};

  void enter(const std::int32_t* entering) {
    for (int k = 0; k < 3; ++k)
      sums[k] = _mm512_add_epi64(sums[k], widened(entering + 8 * k));
  }
  void move(const std::int32_t* entering, const std::int32_t* leaving) {
    for (int k = 0; k < 3; ++k) {
      const auto* const in = reinterpret_cast<const __m256i*>(entering + 8 * k);
      const auto* const out = reinterpret_cast<const __m256i*>(leaving + 8 * k);
      const __m256i change = _mm256_sub_epi32(_mm256_loadu_si256(in), _mm256_loadu_si256(out));
      sums[k] = _mm512_add_epi64(sums[k], _mm512_cvtepi32_epi64(change));
    }
  }
  void windows(__m512i (&result)[2]) const {
    __m512i twos[3];
    __m512i fours[3];
    for (int k = 0; k < 3; ++k)
      twos[k] = _mm512_add_epi64(sums[k], shifted<1>(sums[k], sums[k < 2 ? k + 1 : k]));
    for (int k = 0; k < 3; ++k)
      fours[k] = _mm512_add_epi64(twos[k], shifted<2>(twos[k], twos[k < 2 ? k + 1 : k]));
    for (int k = 0; k < 2; ++k)
      result[k] = _mm512_add_epi64(
          _mm512_add_epi64(fours[k], shifted<4>(fours[k], fours[k + 1])), sums[k + 1]);
  }
  /// False while the window is not yet full.
  bool take(const std::int32_t* columns, std::size_t y, std::size_t stride) {
    const std::int32_t* const entering = columns + y * stride;
    if (y < 9)
      enter(entering);
    else
      move(entering, entering - 9 * stride);
    return y >= 8;
  }
};

template <>
void correlate<9>(const PlaneCorrelations& work) {
  const __m512i voxels = _mm512_set1_epi64(729);
  __m512 total = _mm512_loadu_ps(work.lanes);
  for (std::size_t block = 0; block < work.blocks; ++block) {
    const std::int32_t* const columns = work.columns + block * block_width;
    std::size_t at = block * work.rows * block_width;
    __m512 lanes = _mm512_setzero_ps();
    BlockOfNine sums;
    for (std::size_t y = 0; y < work.rows + 8; ++y) {
      if (!sums.take(columns, y, work.stride))
        continue;
      __m512i products[2];
      sums.windows(products);
      __m256 cross[2];
      for (int k = 0; k < 2; ++k) {
        const __m512i means = _mm512_mul_epi32(widened(work.sums_one + at + 8 * k),
                                               widened(work.sums_other + at + 8 * k));
        cross[k] = _mm512_cvtepi64_ps(
            _mm512_sub_epi64(_mm512_mullo_epi64(products[k], voxels), means));
      }
      const __m512 norms = _mm512_mul_ps(_mm512_loadu_ps(work.inverse_norms_one + at),
                                         _mm512_loadu_ps(work.inverse_norms_other + at));
      const __m512 correlation = _mm512_mul_ps(
          _mm512_insertf32x8(_mm512_castps256_ps512(cross[0]), cross[1], 1), norms);
      lanes = _mm512_add_ps(lanes, _mm512_mul_ps(correlation, correlation));
      at += block_width;
    }
    total = _mm512_add_ps(total, lanes);
  }
  _mm512_storeu_ps(work.lanes, total);
}
#endif

inline void keep_row(const double* __restrict sums,
                     const double* __restrict squares,
                     double voxels,
                     std::int32_t* __restrict kept_sums,
                     float* __restrict inverse_norms) {
  for (int i = 0; i < block_width; ++i) {
    const auto variance = static_cast<float>(voxels * squares[i] - sums[i] * sums[i]);
    const float inverse = 1.0F / __builtin_sqrtf(variance > 0 ? variance : 1.0F);
    kept_sums[i] = static_cast<std::int32_t>(sums[i]);
    inverse_norms[i] = variance > 0 ? inverse : 0.0F;
  }
}

template <int Window>
void keep(const PlaneMoments& work) {
  constexpr double voxels = Window * Window * Window;
  const std::size_t width = work.blocks * block_width;
  const Rows rows(work.scratch, work.stride);
  const Rows squares(work.scratch + 4 * work.stride, work.stride);
  for (std::size_t y = 0; y + 1 < work.rows + Window; ++y) {
    slide<Window>(work.columns, y, work.stride, rows.sums);
    slide<Window>(work.squared_columns, y, work.stride, squares.sums);
    if (y + 1 < Window)
      continue;
    sum_windows<Window>(rows, width);
    sum_windows<Window>(squares, width);
    for (std::size_t block = 0; block < work.blocks; ++block) {
      const std::size_t at = (block * work.rows + y + 1 - Window) * block_width;
      keep_row(rows.windows + block * block_width,
               squares.windows + block * block_width,
               voxels,
               work.sums + at,
               work.inverse_norms + at);
    }
  }
}

#if defined(__AVX512DQ__) && defined(__AVX512BW__)
template <>
void keep<9>(const PlaneMoments& work) {
  const __m512i voxels = _mm512_set1_epi64(729);
  const __m512 one = _mm512_set1_ps(1.0F);
  for (std::size_t block = 0; block < work.blocks; ++block) {
    std::size_t at = block * work.rows * block_width;
    BlockOfNine sums;
    BlockOfNine squares;
    for (std::size_t y = 0; y < work.rows + 8; ++y) {
      squares.take(work.squared_columns + block * block_width, y, work.stride);
      if (!sums.take(work.columns + block * block_width, y, work.stride))
        continue;
      __m512i s[2];
      __m512i q[2];
      sums.windows(s);
      squares.windows(q);
      __m256 halves[2];
      for (int k = 0; k < 2; ++k) {
        halves[k] = _mm512_cvtepi64_ps(
            _mm512_sub_epi64(_mm512_mullo_epi64(q[k], voxels), _mm512_mul_epi32(s[k], s[k])));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(work.sums + at + 8 * k),
                            _mm512_cvtepi64_epi32(s[k]));
      }
      const __m512 variance =
          _mm512_insertf32x8(_mm512_castps256_ps512(halves[0]), halves[1], 1);
      const __mmask16 contrast = _mm512_cmp_ps_mask(variance, _mm512_setzero_ps(), _CMP_GT_OQ);
      _mm512_storeu_ps(work.inverse_norms + at,
                       _mm512_maskz_div_ps(contrast, one, _mm512_sqrt_ps(variance)));
      at += block_width;
    }
  }
}
#endif

/// Calls use.template operator()<Window>() for the window at hand; similarity.window allows
/// these.
template <class Use>
void with_window(int window, const Use& use) {
  switch (window) {
    case 3:
      return use.template operator()<3>();
    case 5:
      return use.template operator()<5>();
    case 7:
      return use.template operator()<7>();
    case 9:
      return use.template operator()<9>();
    case 11:
      return use.template operator()<11>();
    case 13:
      return use.template operator()<13>();
    case 15:
      return use.template operator()<15>();
    case 17:
      return use.template operator()<17>();
    case 19:
      return use.template operator()<19>();
    default:
      return use.template operator()<21>();
  }
}

void keep_moments(const PlaneMoments& work) {
  with_window(work.window, [&]<int Window>() { keep<Window>(work); });
}

void add_correlations(const PlaneCorrelations& work) {
  with_window(work.window, [&]<int Window>() { correlate<Window>(work); });
}

void add_codes(const std::int16_t* pairs, std::int32_t* columns, std::size_t values) {
  for (std::size_t i = 0; i < values; ++i)
    columns[i] += pairs[2 * i] - pairs[2 * i + 1];
}

}  // namespace
}  // namespace proxytune::similarity
