#pragma once

#include <cstddef>

// Blocks of words, a vector's lanes wide and high.
namespace proxytune::ops {
namespace {

inline constexpr int taps = 27;

/// rows[i][j] -> rows[j][i]. `W` is what row_loops.h needs of an instruction set.
template <class W>
inline void transpose(typename W::Words (&rows)[W::lanes]) {
  typename W::Words other[W::lanes];
  // A perfect shuffle of the rows with their halves, once for each power of two, transposes
  // them.
#pragma GCC unroll 4
  for (int apart = 1; apart < W::lanes; apart *= 2) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < W::lanes / 2; ++i) {
      other[2 * i] = W::low(rows[i], rows[i + W::lanes / 2]);
      other[2 * i + 1] = W::high(rows[i], rows[i + W::lanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < W::lanes; ++i)
      rows[i] = other[i];
  }
}

}  // namespace
}  // namespace proxytune::ops
