#pragma once

// Windows of edge 9, the paper's, in AVX-512 registers: the sums of whole rows of up to 4
// blocks, so that neighbouring blocks share what their windows have in common. The same bits as
// window_loops.h, for the same reasons.

#include "window_loops.h"

#if defined(__AVX512DQ__) && defined(__AVX512BW__)
namespace proxytune::similarity {
namespace {

constexpr std::size_t blocks_at_once = 4;

/// Elements k, k + 1, ... of two neighbouring vectors.
template <int K>
inline __m512i shifted(__m512i low, __m512i high) {
  return _mm512_alignr_epi64(high, low, K);
}
inline __m256i half(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
inline __m512i widened(__m256i values) {
  return _mm512_cvtepi32_epi64(values);
}
inline __m512d as_doubles(const std::int32_t* from) {
  return _mm512_cvtepi32_pd(half(from));
}
inline __m512 joined(const __m256 (&halves)[2]) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(halves[0]), halves[1], 1);
}
inline __m256i difference_of_products(__m256i one, __m256i other) {
  return _mm256_madd_epi16(
      one, _mm256_mask_sub_epi16(other, 0xAAAAU, _mm256_setzero_si256(), other));
}

/// Sums along y of the columns of some blocks and of the 8 behind them, and of 9 neighbours.
template <std::size_t Blocks>
struct RowOfNine {
  static constexpr std::size_t vectors = 2 * Blocks + 1;
  __m512i sums[vectors] = {};

  /// 16 columns, and the last 8.
  void add(std::size_t block, Pairs change) {
    sums[2 * block] =
        _mm512_add_epi64(sums[2 * block], widened(_mm512_castsi512_si256(change)));
    sums[2 * block + 1] =
        _mm512_add_epi64(sums[2 * block + 1], widened(_mm512_extracti64x4_epi64(change, 1)));
  }
  void add_last(__m256i change) {
    sums[2 * Blocks] = _mm512_add_epi64(sums[2 * Blocks], widened(change));
  }
  /// Row y of `columns` enters; false while the windows are not yet full.
  bool take(const std::int32_t* columns, std::size_t y, std::size_t stride) {
    const std::int32_t* const entering = columns + y * stride;
    const std::int32_t* const leaving = entering - 9 * stride;
    constexpr std::size_t last = Blocks * block_width;
    if (y < 9) {
      for (std::size_t block = 0; block < Blocks; ++block)
        add(block, load(entering + block * block_width));
      add_last(half(entering + last));
    } else {
      for (std::size_t block = 0; block < Blocks; ++block)
        add(block,
            _mm512_sub_epi32(load(entering + block * block_width),
                             load(leaving + block * block_width)));
      add_last(_mm256_sub_epi32(half(entering + last), half(leaving + last)));
    }
    return y >= 8;
  }
  void windows(__m512i (&result)[2 * Blocks]) const {
    __m512i twos[vectors];
    __m512i fours[vectors];
    for (std::size_t k = 0; k < vectors; ++k)
      twos[k] =
          _mm512_add_epi64(sums[k], shifted<1>(sums[k], sums[k + 1 < vectors ? k + 1 : k]));
    for (std::size_t k = 0; k < vectors; ++k)
      fours[k] =
          _mm512_add_epi64(twos[k], shifted<2>(twos[k], twos[k + 1 < vectors ? k + 1 : k]));
    for (std::size_t k = 0; k + 1 < vectors; ++k)
      result[k] = _mm512_add_epi64(
          _mm512_add_epi64(fours[k], shifted<4>(fours[k], fours[k + 1])), sums[k + 1]);
  }
};

/// Some blocks of PlaneCorrelations, row by row: products along z are added where a window
/// reaches them, so that nothing is fetched twice. The 8 columns behind the blocks are theirs
/// only where rows end; elsewhere the blocks to the right have been there before.
template <std::size_t Blocks, bool AtEnd>
class CorrelationsOfNine {
 public:
  CorrelationsOfNine(const PlaneCorrelations& work, std::size_t first)
      : work_(work),
        one_(work.products.one + 2 * first * block_width),
        other_(work.products.other + 2 * first * block_width),
        columns_(work.products.columns + first * block_width),
        at_(first * block_width) {}

  /// 16 lanes a block.
  void add_up(float* lanes) {
    for (std::size_t y = 0; y < 8; ++y)
      take<false>(y);
    take<false>(8);
    correlate();
    for (std::size_t y = 9; y < work_.rows + 8; ++y) {
      take<true>(y);
      correlate();
    }
    for (std::size_t block = 0; block < Blocks; ++block)
      _mm512_storeu_ps(lanes + block * block_width, lanes_[block]);
  }

 private:
  /// Fetches into the second cache.
  void ask_for_what_comes() {
    Coming& coming = *work_.coming;
    for (std::size_t i = 0; i < coming.lines_a_row && coming.next != coming.end; ++i) {
      _mm_prefetch(coming.next->at, _MM_HINT_T1);
      coming.next->at += line_bytes;
      if (--coming.next->lines == 0)
        ++coming.next;
    }
  }

  template <bool Full>
  void take(std::size_t y) {
    ask_for_what_comes();
    std::int32_t* const entering = columns_ + y * work_.stride;
    const std::int32_t* const leaving = entering - 9 * work_.stride;
    const std::int16_t* const one = one_ + 2 * y * work_.stride;
    const std::int16_t* const other = other_ + 2 * y * work_.stride;
    std::size_t x = 0;
    for (std::size_t block = 0; block < Blocks; ++block, x += block_width) {
      Pairs change = plus(load(entering + x),
                          difference_of_products(load(one + 2 * x), load(other + 2 * x)));
      store(entering + x, change);
      if constexpr (Full)
        change = _mm512_sub_epi32(change, load(leaving + x));
      row_.add(block, change);
    }
    __m256i change = half(entering + x);
    if constexpr (AtEnd) {
      change = _mm256_add_epi32(change,
                                difference_of_products(half(one + 2 * x), half(other + 2 * x)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(entering + x), change);
    }
    if constexpr (Full)
      change = _mm256_sub_epi32(change, half(leaving + x));
    row_.add_last(change);
  }

  void correlate() {
    const __m512d voxels = _mm512_set1_pd(729);
    __m512i products[2 * Blocks];
    row_.windows(products);
    for (std::size_t block = 0; block < Blocks; ++block) {
      const std::size_t at = at_ + block * block_width;
      __m256 cross[2];
      for (std::size_t k = 0; k < 2; ++k) {
        const __m512d means = _mm512_mul_pd(as_doubles(work_.sums_one + at + 8 * k),
                                            as_doubles(work_.sums_other + at + 8 * k));
        cross[k] = _mm512_cvtpd_ps(
            _mm512_fmsub_pd(_mm512_cvtepi64_pd(products[2 * block + k]), voxels, means));
      }
      const __m512 norms = _mm512_mul_ps(_mm512_loadu_ps(work_.inverse_norms_one + at),
                                         _mm512_loadu_ps(work_.inverse_norms_other + at));
      const __m512 correlation = _mm512_mul_ps(joined(cross), norms);
      lanes_[block] = _mm512_add_ps(lanes_[block], _mm512_mul_ps(correlation, correlation));
    }
    at_ += work_.blocks * block_width;
  }

  const PlaneCorrelations& work_;
  const std::int16_t* one_;
  const std::int16_t* other_;
  std::int32_t* columns_;
  std::size_t at_;
  RowOfNine<Blocks> row_;
  __m512 lanes_[Blocks] = {};
};

template <std::size_t Blocks, bool AtEnd>
void add_blocks_of_nine(const PlaneCorrelations& work, std::size_t first, float* lanes) {
  CorrelationsOfNine<Blocks, AtEnd>(work, first).add_up(lanes + first * block_width);
}

template <>
void correlate<9>(const PlaneCorrelations& work) {
  auto* const lanes = reinterpret_cast<float*>(work.scratch);
  const std::size_t last = (work.blocks - 1) % blocks_at_once + 1;
  std::size_t first = work.blocks - last;
  switch (last) {
    case 1:
      add_blocks_of_nine<1, true>(work, first, lanes);
      break;
    case 2:
      add_blocks_of_nine<2, true>(work, first, lanes);
      break;
    case 3:
      add_blocks_of_nine<3, true>(work, first, lanes);
      break;
    default:
      add_blocks_of_nine<blocks_at_once, true>(work, first, lanes);
  }
  for (; first > 0; first -= blocks_at_once)
    add_blocks_of_nine<blocks_at_once, false>(work, first - blocks_at_once, lanes);
  __m512 total = _mm512_loadu_ps(work.lanes);
  for (std::size_t block = 0; block < work.blocks; ++block)
    total = _mm512_add_ps(total, _mm512_loadu_ps(lanes + block * block_width));
  _mm512_storeu_ps(work.lanes, total);
}

/// What PlaneMoments asks for, of some blocks.
template <std::size_t Blocks>
void keep_blocks_of_nine(const PlaneMoments& work, std::size_t first) {
  const __m512d voxels = _mm512_set1_pd(729);
  RowOfNine<Blocks> sums;
  RowOfNine<Blocks> squares;
  std::size_t row = first * block_width;
  for (std::size_t y = 0; y < work.rows + 8; ++y) {
    squares.take(work.squared_columns + first * block_width, y, work.stride);
    if (!sums.take(work.columns + first * block_width, y, work.stride))
      continue;
    __m512i s[2 * Blocks];
    __m512i q[2 * Blocks];
    sums.windows(s);
    squares.windows(q);
    for (std::size_t block = 0; block < Blocks; ++block) {
      const std::size_t at = row + block * block_width;
      __m256 halves[2];
      for (std::size_t k = 0; k < 2; ++k) {
        const __m512d sum = _mm512_cvtepi64_pd(s[2 * block + k]);
        halves[k] = _mm512_cvtpd_ps(_mm512_fmsub_pd(
            _mm512_cvtepi64_pd(q[2 * block + k]), voxels, _mm512_mul_pd(sum, sum)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(work.sums + at + 8 * k),
                            _mm512_cvtepi64_epi32(s[2 * block + k]));
      }
      const __m512 variance = joined(halves);
      const __mmask16 contrast = _mm512_cmp_ps_mask(variance, _mm512_setzero_ps(), _CMP_GT_OQ);
      _mm512_storeu_ps(
          work.inverse_norms + at,
          _mm512_maskz_div_ps(contrast, _mm512_set1_ps(1.0F), _mm512_sqrt_ps(variance)));
    }
    row += work.blocks * block_width;
  }
}

template <>
void keep<9>(const PlaneMoments& work) {
  std::size_t block = 0;
  for (; block + 2 <= work.blocks; block += 2)
    keep_blocks_of_nine<2>(work, block);
  if (block < work.blocks)
    keep_blocks_of_nine<1>(work, block);
}

}  // namespace
}  // namespace proxytune::similarity
#endif
