#pragma once

#include <algorithm>
#include <cstddef>

#include <immintrin.h>

#include "ops/words_avx512.h"

// Blocks of 16 x 16 words.
namespace proxytune::ops {
namespace {

inline constexpr int lanes = 16;

/// Where the vector of this number begins.
constexpr std::ptrdiff_t vector_at(std::ptrdiff_t number) {
  return number * lanes;
}

inline constexpr int taps = 27;

/// rows[i][j] -> rows[j][i].
inline void transpose(__m512i (&rows)[lanes]) {
  __m512i other[lanes];
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    // A perfect shuffle of 16 rows with their halves, four times, transposes them.
#pragma GCC unroll 8
    for (std::size_t i = 0; i < lanes / 2; ++i) {
      other[2 * i] = Words16::low(rows[i], rows[i + lanes / 2]);
      other[2 * i + 1] = Words16::high(rows[i], rows[i + lanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i)
      rows[i] = other[i];
  }
}

inline __mmask16 first_of(int count) {
  return count >= lanes ? static_cast<__mmask16>(0xFFFF) : Words16::first(std::max(count, 0));
}

}  // namespace
}  // namespace proxytune::ops
