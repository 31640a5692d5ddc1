#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/row_products.h"
#include "ops/weight_blocks.h"

// The products of row_products.h as the including source's compiler options and `A` make them:
// `lanes` of a vector; type Floats with zero(), load(), store() (both aligned), spread(), add()
// and multiply_add(); type Tail, of the channels that are left for a last vector, with
// first_of(), load_first() and store_first(); Words, as row_loops.h needs them, with
// load_words() and store_words() of the first of a vector; and how many rows, or channels of
// the weights' first axis, are summed at once beside so many vectors: rows() and firsts().
namespace proxytune::ops {
namespace {

template <class A>
constexpr std::ptrdiff_t vector_of(std::ptrdiff_t number) {
  return number * A::lanes;
}

template <class A>
inline constexpr int block_of_outputs = 2 * A::lanes;

struct TapAt {
  std::ptrdiff_t source = 0;       // floats
  const float* weights = nullptr;  // [inputs][vectors * lanes]
};

/// Rows of outputs of one block, all taps.
template <class A>
struct Block {
  const float* source = nullptr;
  std::ptrdiff_t source_step = 0;  // floats
  float* target = nullptr;
  std::ptrdiff_t target_step = 0;
  const TapAt* taps = nullptr;
  int tap_count = 0;
  int inputs = 0;
  const float* initial = nullptr;  // [vectors * lanes]
  typename A::Tail last{};         // of the last vector
};

template <class A, int Rows, int Vectors>
void multiply(const Block<A>& of) {
  using Floats = typename A::Floats;
  Floats sums[Rows][Vectors];
#pragma GCC unroll 16
  for (int v = 0; v < Vectors; ++v) {
    const Floats initial = A::load(of.initial + vector_of<A>(v));
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
      sums[r][v] = initial;
  }
  const std::ptrdiff_t step = of.source_step;
  for (int t = 0; t < of.tap_count; ++t) {
    // Three rows a pointer, so that all of them and the sums have registers.
    const float* from[(Rows + 2) / 3];
#pragma GCC unroll 16
    for (int p = 0; p < (Rows + 2) / 3; ++p)
      from[p] = of.source + of.taps[t].source + std::ptrdiff_t{3} * p * step;
    const float* weights = of.taps[t].weights;
    for (int i = 0; i < of.inputs; ++i, weights += vector_of<A>(Vectors)) {
      Floats weight[Vectors];
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v)
        weight[v] = A::load(weights + vector_of<A>(v));
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Floats value = A::spread(from[r / 3][(r % 3) * step + i]);
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
          sums[r][v] = A::multiply_add(value, weight[v], sums[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) {
      float* const to = of.target + r * of.target_step + vector_of<A>(v);
      if (v + 1 == Vectors)
        A::store_first(of.last, to, sums[r][v]);
      else
        A::store_unaligned(to, sums[r][v]);
    }
}

template <class A>
using Multiply = void (*)(const Block<A>&);

template <class A, int Vectors, int... Less>
Multiply<A> of_rows(std::int64_t rows, std::integer_sequence<int, Less...> /*all*/) {
  static constexpr Multiply<A> all[] = {&multiply<A, Less + 1, Vectors>...};
  return all[rows - 1];
}

template <class A>
Multiply<A> multiply_of(std::int64_t rows, int vectors) {
  return vectors == 1 ? of_rows<A, 1>(rows, std::make_integer_sequence<int, A::rows(1)>())
                      : of_rows<A, 2>(rows, std::make_integer_sequence<int, A::rows(2)>());
}

/// Up to lanes x lanes weights of neighbouring inputs and outputs, turned where a row has
/// inputs.
template <class A>
void pack_block(
    const RowProducts& of, int tap, int input, int output, float* to, std::ptrdiff_t stride) {
  using W = typename A::Words;
  const int inputs = std::min(A::lanes, of.inputs - input);
  const int outputs = std::min(A::lanes, of.outputs - output);
  const bool turn = !of.weights.inputs_first;
  const std::ptrdiff_t row = turn ? of.inputs : of.outputs;
  const float* const from = of.weights.values + ((turn ? output : input) * taps + tap) * row +
                            (turn ? input : output);
  typename W::Words rows[A::lanes];
#pragma GCC unroll 16
  for (int r = 0; r < A::lanes; ++r)
    rows[r] =
        r < (turn ? outputs : inputs)
            ? W::load_words(
                  reinterpret_cast<const std::uint32_t*>(from + std::ptrdiff_t{r} * taps * row),
                  turn ? inputs : outputs)
            : W::no_words();
  if (turn)
    transpose<W>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < A::lanes; ++i)
    if (i < inputs)
      W::store_words(rows[i], reinterpret_cast<std::uint32_t*>(to + i * stride), A::lanes);
}

/// [tap][input][vectors * lanes], outputs from `first` on; zeros beyond the last.
template <class A>
void pack(const RowProducts& of, int first, int vectors, float* packed) {
  const std::ptrdiff_t stride = vector_of<A>(vectors);
  for (int input = 0; input < of.inputs; input += A::lanes)
    for (int tap = 0; tap < taps; ++tap)
      for (int v = 0; v < vectors; ++v)
        pack_block<A>(of,
                      tap,
                      input,
                      first + v * A::lanes,
                      packed + (static_cast<std::ptrdiff_t>(tap) * of.inputs + input) * stride +
                          vector_of<A>(v),
                      stride);
}

template <class A>
void multiply_class(const RowProducts& of,
                    const RowClass& rows,
                    int vectors,
                    Block<A> block,
                    const float* input,
                    float* output) {
  const int rows_at_once = A::rows(vectors);
  const std::int64_t blocks = (rows.length + rows_at_once - 1) / rows_at_once;
  const std::int64_t height = (rows.length + blocks - 1) / blocks;
  const Multiply<A> multiply_block = multiply_of<A>(height, vectors);
  block.source_step = rows.source_step * of.inputs;
  block.target_step = rows.target_step * of.outputs;
  for (const RowClass::Run& run : rows.runs)
    for (std::int64_t b = 0; b < blocks; ++b) {
      // The last block begins so that it is as high as the others: some rows are done twice.
      const std::int64_t begin = std::min(b * height, rows.length - height);
      block.source = input + (run.source + begin * rows.source_step) * of.inputs;
      block.target = output + (run.target + begin * rows.target_step) * of.outputs;
      multiply_block(block);
    }
}

template <class A>
void products(const RowProducts& of, const float* input, float* output) {
  const auto inputs = static_cast<std::size_t>(of.inputs);
  float* const packed = kept_memory(0, taps * inputs * block_of_outputs<A>);
  alignas(64) float initial[block_of_outputs<A>];
  std::vector<TapAt> taps_at;
  for (int first = 0; first < of.outputs; first += block_of_outputs<A>) {
    const int outputs = std::min(of.outputs - first, block_of_outputs<A>);
    const int vectors = (outputs + A::lanes - 1) / A::lanes;
    pack<A>(of, first, vectors, packed);
    for (int o = 0; o < block_of_outputs<A>; ++o)
      initial[o] = of.bias != nullptr && o < outputs ? of.bias[first + o] : 0.0F;
    for (const RowClass& rows : *of.plan) {
      taps_at.clear();
      for (const RowClass::Tap& tap : rows.taps)
        taps_at.push_back({tap.source * of.inputs,
                           packed + static_cast<std::ptrdiff_t>(tap.kernel) * of.inputs *
                                        vectors * A::lanes});
      Block<A> block;
      block.taps = taps_at.data();
      block.tap_count = static_cast<int>(taps_at.size());
      block.inputs = of.inputs;
      block.initial = initial;
      block.last = A::first_of(outputs - (vectors - 1) * A::lanes);
      multiply_class<A>(of, rows, vectors, block, input, output + first);
    }
  }
}

}  // namespace
}  // namespace proxytune::ops
