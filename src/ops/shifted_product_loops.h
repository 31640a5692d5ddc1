#pragma once

#include <algorithm>
#include <utility>

#include "ops/row_loops.h"
#include "ops/shifted_products.h"

// The loops of shifted_products.h as the including source's compiler options and `Arithmetic`
// make them: types Sum and Word, `bytes` of a vector, `registers`, and zero(), load(),
// spread(), multiply_add(), load_sum(), store_sum(), spread_sum().

namespace proxytune::ops {
namespace {

/// Keeps a word that several products share from being read anew for each of them: a vector
/// that lies across two lines costs two reads.
template <class Word>
inline void keep(Word& word) {
  asm("" : "+v"(word));
}

/// Vectors that one pass keeps sums for, so that sums, sources and a weight fit the registers.
template <class A, int Outputs>
constexpr int vectors_at_once() {
  constexpr int fit = (A::registers - 2) / (Outputs + 1);
  return std::clamp(fit, 1, 8);
}

template <class A, int Outputs, int Vectors>
inline void add_products_block(const Products& of, std::int64_t first) {
  typename A::Sum sums[Outputs][Vectors];
  for (int o = 0; o < Outputs; ++o)
    for (int v = 0; v < Vectors; ++v)
      sums[o][v] = A::spread_sum(of.initial[o]);
  const std::uint32_t* weights = of.weights;
  const std::int64_t offset = first * A::bytes;
  for (int k = 0; k < of.terms; ++k, weights += Outputs) {
    const std::byte* const source = of.sources[k] + offset;
    typename A::Word words[Vectors];
    for (int v = 0; v < Vectors; ++v)
      words[v] = A::load(source + v * A::bytes);
    for (int o = 0; o < Outputs; ++o) {
      const typename A::Word weight = A::spread(weights[o]);
      for (int v = 0; v < Vectors; ++v)
        sums[o][v] = A::multiply_add(sums[o][v], words[v], weight);
    }
  }
  for (int o = 0; o < Outputs; ++o)
    for (int v = 0; v < Vectors; ++v)
      A::store_sum(of.result + o * of.pitch + (first + v) * A::lanes, sums[o][v]);
}

template <class A, int Outputs>
void add_products_of(const Products& of) {
  constexpr int step = vectors_at_once<A, Outputs>();
  std::int64_t first = 0;
  for (; first + step <= of.vectors; first += step)
    add_products_block<A, Outputs, step>(of, first);
  if constexpr (step >= 4)
    for (; first + step / 2 <= of.vectors; first += step / 2)
      add_products_block<A, Outputs, step / 2>(of, first);
  for (; first < of.vectors; ++first)
    add_products_block<A, Outputs, 1>(of, first);
}

template <class A, int Outputs>
constexpr int terms_at_once() {
  constexpr int fit = (A::registers - 1 - Outputs) / Outputs;
  // Kernels have 27 taps.
  return fit >= 9 ? 9 : fit >= 6 ? 6 : fit >= 3 ? 3 : fit >= 2 ? 2 : 1;
}

template <class A, int Outputs, int Terms>
inline void add_dots_block(const Dots& of, int first) {
  typename A::Sum sums[Terms][Outputs];
  for (int k = 0; k < Terms; ++k)
    for (int o = 0; o < Outputs; ++o)
      sums[k][o] = A::zero();
  for (std::int64_t n = 0; n < of.vectors; ++n) {
    const std::int64_t offset = n * A::bytes;
    typename A::Word others[Outputs];
    for (int o = 0; o < Outputs; ++o)
      others[o] = A::load(of.others[o] + offset);
    for (int k = 0; k < Terms; ++k) {
      typename A::Word source = A::load(of.sources[first + k] + offset);
      keep(source);
      for (int o = 0; o < Outputs; ++o)
        sums[k][o] = A::multiply_add(sums[k][o], source, others[o]);
    }
  }
  float* to = of.sums + static_cast<std::ptrdiff_t>(first) * Outputs * A::lanes;
  for (int k = 0; k < Terms; ++k)
    for (int o = 0; o < Outputs; ++o, to += A::lanes)
      A::store_sum(to, A::add(A::load_sum(to), sums[k][o]));
}

template <class A, int Outputs>
void add_dots_of(const Dots& of) {
  constexpr int step = terms_at_once<A, Outputs>();
  int first = 0;
  for (; first + step <= of.terms; first += step)
    add_dots_block<A, Outputs, step>(of, first);
  if constexpr (step > 3)
    for (; first + 3 <= of.terms; first += 3)
      add_dots_block<A, Outputs, 3>(of, first);
  for (; first < of.terms; ++first)
    add_dots_block<A, Outputs, 1>(of, first);
}

template <class A, class W, int... Less>
constexpr ProductKernels kernels_for(std::integer_sequence<int, Less...>) {
  return {A::lanes,
          [](const Products& of) {
            static constexpr void (*of_outputs[])(const Products&) = {
                &add_products_of<A, Less + 1>...};
            of_outputs[of.outputs - 1](of);
          },
          [](const Dots& of) {
            static constexpr void (*of_outputs[])(const Dots&) = {&add_dots_of<A, Less + 1>...};
            of_outputs[of.outputs - 1](of);
          },
          &part_channels<W, Rows::words>,
          &join_channels<W, Rows::words>,
          &part_channels<W, Rows::pairs>,
          &join_channels<W, Rows::pairs>};
}

template <class A, class W>
constexpr ProductKernels kernels_for() {
  return kernels_for<A, W>(std::make_integer_sequence<int, most_outputs>{});
}

}  // namespace
}  // namespace proxytune::ops
