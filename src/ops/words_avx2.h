#pragma once

#include <cstdint>

#include <immintrin.h>

namespace proxytune::ops {
namespace {

/// What row_loops.h needs of AVX2.
struct Words8 {
  using Words = __m256i;
  static constexpr int lanes = 8;

  static __m256i piece(int begin, int count) {
    const __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(begin), at),
                               _mm256_cmpgt_epi32(_mm256_set1_epi32(begin + count), at));
  }
  static Words no_words() { return _mm256_setzero_si256(); }
  // Whole vectors go without a mask: a masked store takes some twenty times as long on AMD's.
  static Words load_words(const std::uint32_t* from, int count) {
    if (count == lanes)
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(from), piece(0, count));
  }
  static void store_words(Words words, std::uint32_t* to, int count) {
    if (count == lanes)
      return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
    _mm256_maskstore_epi32(reinterpret_cast<int*>(to), piece(0, count), words);
  }
  /// Words begin to begin + count of the vector.
  static Words load_piece(Words words, const std::uint32_t* from, int begin, int count) {
    const __m256i mask = piece(begin, count);
    return _mm256_blendv_epi8(
        words, _mm256_maskload_epi32(reinterpret_cast<const int*>(from) - begin, mask), mask);
  }
  static void store_piece(Words words, std::uint32_t* to, int begin, int count) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(to) - begin, piece(begin, count), words);
  }
  /// The floats that a pair of bfloat16 numbers are, and back.
  static Words low_half(Words pairs) { return _mm256_slli_epi32(pairs, 16); }
  static Words high_half(Words pairs) {
    return _mm256_and_si256(pairs, _mm256_set1_epi32(static_cast<int>(0xFFFF0000U)));
  }
  static Words pair(Words low, Words high) {
    return _mm256_or_si256(_mm256_srli_epi32(rounded(low), 16), high_half(rounded(high)));
  }
  /// To the nearest bfloat16, in the upper half.
  static Words rounded(Words floats) {
    const Words tie = _mm256_and_si256(_mm256_srli_epi32(floats, 16), _mm256_set1_epi32(1));
    const Words sum =
        _mm256_add_epi32(floats, _mm256_add_epi32(tie, _mm256_set1_epi32(0x7FFF)));
    const __m256 as_floats = _mm256_castsi256_ps(floats);
    const __m256i none = _mm256_castps_si256(_mm256_cmp_ps(as_floats, as_floats, _CMP_UNORD_Q));
    return _mm256_blendv_epi8(sum, _mm256_set1_epi32(0x7FC00000), none);
  }
  static Words even(Words a, Words b) { return in_order(picked<0x88>(a, b)); }
  static Words odd(Words a, Words b) { return in_order(picked<0xDD>(a, b)); }
  static Words low(Words a, Words b) {
    return _mm256_permute2x128_si256(
        _mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b), 0x20);
  }
  static Words high(Words a, Words b) {
    return _mm256_permute2x128_si256(
        _mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b), 0x31);
  }

 private:
  template <int Which>
  static Words picked(Words a, Words b) {
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), Which));
  }
  static Words in_order(Words words) { return _mm256_permute4x64_epi64(words, 0xD8); }
};

}  // namespace
}  // namespace proxytune::ops
