#pragma once

// Products of codes along z, compiled once for each instruction set (pair_kernels_*.cpp):
// exact.

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

inline void put_side_by_side(const std::int16_t* __restrict codes,
                             const std::int16_t* __restrict leaving,
                             std::int16_t* __restrict pairs,
                             std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    pairs[2 * i] = codes[i];
    pairs[2 * i + 1] = leaving[i];
  }
}

void enter_codes(const PlaneCodes& work) {
  constexpr std::size_t values_at_once = 512;  // which stay in the first cache
#if defined(__SSE2__)
  constexpr std::size_t step = sizeof(Pairs) / sizeof(std::int32_t);
  std::int16_t one[2 * step];
  for (std::int16_t& code : one)
    code = 1;
  const Pairs ones = load(one);
#endif
  for (std::size_t begin = 0; begin < work.values; begin += values_at_once) {
    const std::size_t left = work.values - begin;
    const std::size_t end = begin + (left < values_at_once ? left : values_at_once);
    put_side_by_side(
        work.codes + begin, work.leaving + begin, work.pairs + 2 * begin, end - begin);
    std::size_t i = begin;
#if defined(__SSE2__)
    for (; i + step <= end; i += step) {
      const Pairs pairs = load(work.pairs + 2 * i);
      store(work.columns + i,
            plus(load(work.columns + i), difference_of_products(pairs, ones)));
      store(work.squared_columns + i,
            plus(load(work.squared_columns + i), difference_of_products(pairs, pairs)));
    }
#endif
    for (; i < end; ++i) {
      const std::int32_t code = work.codes[i];
      const std::int32_t leaving = work.leaving[i];
      work.columns[i] += code - leaving;
      work.squared_columns[i] += code * code - leaving * leaving;
    }
  }
}

}  // namespace
}  // namespace proxytune::similarity
