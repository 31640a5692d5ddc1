#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "ops/row_product_loops.h"

// The gradients of row_products.h, of an `A` as row_product_loops.h describes it.
namespace proxytune::ops {
namespace {

/// Rows that one tap reaches, of one class; of its runs those at hand.
struct Reached {
  const RowClass* rows = nullptr;
  std::int64_t source = 0;  // positions beyond the row's own
  const RowClass::Run* begin = nullptr;
  const RowClass::Run* end = nullptr;
};

/// One side of the products that are summed: of position 0, from the tile's first channel on.
struct Operand {
  const float* values = nullptr;
  int channels = 0;
};

/// What is summed in registers: channels of the weights' first axis, one by one, times vectors
/// of its second.
template <class A>
struct Piece {
  const std::vector<Reached>& reached;
  Operand source, target;
  typename A::Tail last{};
};

/// Of one voxel: the channels of `first` one by one times the vectors of `second`.
template <class A, int First, int Vectors>
[[gnu::always_inline]] inline void add_voxel(const float* first,
                                             const float* second,
                                             typename A::Tail last,
                                             typename A::Floats (&sums)[First][Vectors]) {
  typename A::Floats values[Vectors];
#pragma GCC unroll 16
  for (int v = 0; v < Vectors; ++v)
    values[v] = v + 1 == Vectors ? A::load_first(last, second + vector_of<A>(v))
                                 : A::load_unaligned(second + vector_of<A>(v));
#pragma GCC unroll 16
  for (int i = 0; i < First; ++i) {
    const typename A::Floats value = A::spread(first[i]);
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v)
      sums[i][v] = A::multiply_add(value, values[v], sums[i][v]);
  }
}

template <class A, int First, int Vectors, bool SourcesFirst>
void add_dots(const Piece<A>& of, float* to) {
  typename A::Floats sums[First][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < First; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v)
      sums[i][v] = A::zero();
  for (const Reached& reached : of.reached) {
    const std::ptrdiff_t source_step = reached.rows->source_step * of.source.channels;
    const std::ptrdiff_t target_step = reached.rows->target_step * of.target.channels;
    const std::int64_t length = reached.rows->length;
    for (const RowClass::Run* run = reached.begin; run != reached.end; ++run) {
      const float* source =
          of.source.values + (reached.source + run->source) * of.source.channels;
      const float* target = of.target.values + run->target * of.target.channels;
      for (std::int64_t n = 0; n < length; ++n) {
        add_voxel<A>(
            SourcesFirst ? source : target, SourcesFirst ? target : source, of.last, sums);
        source += source_step;
        target += target_step;
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < First; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) {
      float* const at = to + vector_of<A>(i * Vectors + v);
      A::store(at, A::add(A::load(at), sums[i][v]));
    }
}

/// Channels that are summed together, of the weights' axes.
struct Tile {
  int first = 0;
  int firsts = 0;
  int second = 0;
  int vectors = 0;
};

template <class A>
using AddDots = void (*)(const Piece<A>&, float*);

/// Of channels that are left, multiples of 8.
inline constexpr int least_firsts = 8;

template <class A>
int firsts_of(int vectors, int left) {
  const int most = A::firsts(vectors);
  return left >= most ? most : least_firsts;
}

template <class A, bool SourcesFirst>
AddDots<A> add_dots_of(const Tile& tile) {
  if (tile.vectors == 3)
    return &add_dots<A, A::firsts(3), 3, SourcesFirst>;
  if (tile.vectors == 2)
    return &add_dots<A, A::firsts(2), 2, SourcesFirst>;
  return tile.firsts == A::firsts(1) ? &add_dots<A, A::firsts(1), 1, SourcesFirst>
                                     : &add_dots<A, least_firsts, 1, SourcesFirst>;
}

using ByTap = std::vector<Reached>[taps];

inline void take_part(std::int64_t begin, std::int64_t end, ByTap& reached) {
  for (std::vector<Reached>& of_tap : reached)
    for (Reached& one : of_tap) {
      const auto at = [&](std::int64_t target) {
        return std::to_address(
            std::ranges::lower_bound(one.rows->runs, target, {}, &RowClass::Run::target));
      };
      one.begin = at(begin);
      one.end = at(end);
    }
}

template <class A>
void add_tile(const RowGradients& of,
              const ByTap& reached,
              const Tile& tile,
              const float* source,
              const float* target,
              float* sums) {
  const AddDots<A> add =
      of.sources_first ? add_dots_of<A, true>(tile) : add_dots_of<A, false>(tile);
  const int seconds = of.sources_first ? of.target_channels : of.source_channels;
  const Operand sources{source + (of.sources_first ? tile.first : tile.second),
                        of.source_channels};
  const Operand targets{target + (of.sources_first ? tile.second : tile.first),
                        of.target_channels};
  const auto last = A::first_of(seconds - tile.second - (tile.vectors - 1) * A::lanes);
  for (int k = 0; k < taps; ++k)
    add({reached[k], sources, targets, last},
        sums + static_cast<std::ptrdiff_t>(k) * tile.firsts * tile.vectors * A::lanes);
}

/// Sums of one tile's channels over all samples, [tap][first][vectors * lanes].
template <class A>
void sum_tile(const RowGradients& of,
              ByTap& reached,
              const Tile& tile,
              const float* source,
              const float* target,
              float* sums) {
  std::fill_n(sums, taps * tile.firsts * tile.vectors * A::lanes, 0.0F);
  // What a part reads of both sides stays in the second-level cache for all its taps.
  constexpr std::int64_t floats_of_a_part = 64 << 10;
  const std::int64_t floats_of_a_target =
      of.target_channels + of.source_channels * of.source_voxels / of.target_voxels;
  const std::int64_t targets = std::max<std::int64_t>(1, floats_of_a_part / floats_of_a_target);
  const bool whole = of.target_voxels <= targets;
  if (whole)
    take_part(0, of.target_voxels, reached);
  for (std::int64_t n = 0; n < of.samples; ++n)
    for (std::int64_t begin = 0; begin < of.target_voxels; begin += targets) {
      if (!whole)
        take_part(begin, begin + targets, reached);
      add_tile<A>(of,
                  reached,
                  tile,
                  source + n * of.source_voxels * of.source_channels,
                  target + n * of.target_voxels * of.target_channels,
                  sums);
    }
}

/// To [first][tap][second].
template <class A>
void store_tile(const Tile& tile, int seconds, const float* sums, float* to) {
  for (int k = 0; k < taps; ++k)
    for (int i = 0; i < tile.firsts; ++i)
      for (int v = 0; v < tile.vectors; ++v, sums += A::lanes) {
        const int second = tile.second + v * A::lanes;
        A::store_first(
            A::first_of(seconds - second),
            to + (static_cast<std::ptrdiff_t>(tile.first + i) * taps + k) * seconds + second,
            A::load(sums));
      }
}

template <class A>
void gradients(const RowGradients& of, const float* source, const float* target) {
  ByTap reached;
  for (const RowClass& rows : *of.plan)
    for (const RowClass::Tap& tap : rows.taps)
      reached[tap.kernel].push_back({&rows, tap.source});
  const int firsts = of.sources_first ? of.source_channels : of.target_channels;
  const int seconds = of.sources_first ? of.target_channels : of.source_channels;
  constexpr std::size_t most_of_a_tap =
      A::lanes * std::max({A::firsts(1), 2 * A::firsts(2), 3 * A::firsts(3), least_firsts});
  float* const sums = kept_memory(1, taps * most_of_a_tap);
  for (Tile tile; tile.second < seconds; tile.second += tile.vectors * A::lanes) {
    const int vectors_left = (seconds - tile.second + A::lanes - 1) / A::lanes;
    tile.vectors = vectors_left == 4 ? 2 : std::min(vectors_left, 3);
    for (tile.first = 0; tile.first < firsts; tile.first += tile.firsts) {
      tile.firsts = firsts_of<A>(tile.vectors, firsts - tile.first);
      sum_tile<A>(of, reached, tile, source, target, sums);
      store_tile<A>(tile, seconds, sums, of.to);
    }
  }
}

template <class A>
constexpr RowKernels row_kernels_of() {
  return {&products<A>, &gradients<A>};
}

}  // namespace
}  // namespace proxytune::ops
