#pragma once

#include <cstdint>

#include <immintrin.h>

namespace proxytune::ops {
namespace {

/// What row_loops.h needs of AVX-512.
struct Words16 {
  using Words = __m512i;
  static constexpr int lanes = 16;

  static __mmask16 first(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
  static __mmask16 piece(int begin, int count) {
    return static_cast<__mmask16>(((1U << count) - 1U) << begin);
  }
  static Words no_words() { return _mm512_setzero_si512(); }
  static Words load_words(const std::uint32_t* from, int count) {
    return _mm512_maskz_loadu_epi32(first(count), from);
  }
  static void store_words(Words words, std::uint32_t* to, int count) {
    _mm512_mask_storeu_epi32(to, first(count), words);
  }
  /// Words begin to begin + count of the vector.
  static Words load_piece(Words words, const std::uint32_t* from, int begin, int count) {
    return _mm512_mask_loadu_epi32(words, piece(begin, count), from - begin);
  }
  static void store_piece(Words words, std::uint32_t* to, int begin, int count) {
    _mm512_mask_storeu_epi32(to - begin, piece(begin, count), words);
  }
  /// The floats that a pair of bfloat16 numbers are, and back.
  static Words low_half(Words pairs) { return _mm512_slli_epi32(pairs, 16); }
  static Words high_half(Words pairs) {
    return _mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U)));
  }
  static Words pair(Words low, Words high) {
    return _mm512_or_si512(_mm512_srli_epi32(rounded(low), 16), high_half(rounded(high)));
  }
  /// To the nearest bfloat16, in the upper half.
  static Words rounded(Words floats) {
    const Words tie = _mm512_and_si512(_mm512_srli_epi32(floats, 16), _mm512_set1_epi32(1));
    const Words sum =
        _mm512_add_epi32(floats, _mm512_add_epi32(tie, _mm512_set1_epi32(0x7FFF)));
    const __m512 as_floats = _mm512_castsi512_ps(floats);
    return _mm512_mask_mov_epi32(sum,
                                 _mm512_cmp_ps_mask(as_floats, as_floats, _CMP_UNORD_Q),
                                 _mm512_set1_epi32(0x7FC00000));
  }
  static Words even(Words a, Words b) {
    const Words at =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_epi32(a, at, b);
  }
  static Words odd(Words a, Words b) {
    const Words at =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return _mm512_permutex2var_epi32(a, at, b);
  }
  static Words low(Words a, Words b) {
    const Words at = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return _mm512_permutex2var_epi32(a, at, b);
  }
  static Words high(Words a, Words b) {
    const Words at =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return _mm512_permutex2var_epi32(a, at, b);
  }
};

}  // namespace
}  // namespace proxytune::ops
