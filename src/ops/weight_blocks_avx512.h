#pragma once

#include <algorithm>
#include <cstddef>

#include <immintrin.h>

#include "ops/weight_blocks.h"
#include "ops/words_avx512.h"

// Blocks of 16 x 16 words.
namespace proxytune::ops {
namespace {

inline constexpr int lanes = 16;

/// Where the vector of this number begins.
constexpr std::ptrdiff_t vector_at(std::ptrdiff_t number) {
  return number * lanes;
}

/// rows[i][j] -> rows[j][i].
inline void transpose(__m512i (&rows)[lanes]) {
  transpose<Words16>(rows);
}

inline __mmask16 first_of(int count) {
  return count >= lanes ? static_cast<__mmask16>(0xFFFF) : Words16::first(std::max(count, 0));
}

}  // namespace
}  // namespace proxytune::ops
