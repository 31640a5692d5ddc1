#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <immintrin.h>

#include "ops/row_products.h"
#include "ops/weight_blocks_avx512.h"

namespace proxytune::ops {
namespace {

constexpr int rows_at_once = 14;
constexpr int block_of_outputs = 2 * lanes;

// ---- Products ----

struct TapAt {
  std::ptrdiff_t source = 0;       // floats
  const float* weights = nullptr;  // [inputs][vectors * lanes]
};

/// Rows of outputs of one block, all taps.
struct Block {
  const float* source = nullptr;
  std::ptrdiff_t source_step = 0;  // floats
  float* target = nullptr;
  std::ptrdiff_t target_step = 0;
  const TapAt* taps = nullptr;
  int tap_count = 0;
  int inputs = 0;
  const float* initial = nullptr;  // [vectors * lanes]
  __mmask16 last = 0;              // of the last vector
};

template <int Rows, int Vectors>
void multiply(const Block& of) {
  __m512 sums[Rows][Vectors];
#pragma GCC unroll 16
  for (int v = 0; v < Vectors; ++v) {
    const __m512 initial = _mm512_load_ps(of.initial + vector_at(v));
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
    for (int i = 0; i < of.inputs; ++i, weights += vector_at(Vectors)) {
      __m512 weight[Vectors];
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v)
        weight[v] = _mm512_load_ps(weights + vector_at(v));
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const __m512 value = _mm512_set1_ps(from[r / 3][(r % 3) * step + i]);
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
          sums[r][v] = _mm512_fmadd_ps(value, weight[v], sums[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v)
      _mm512_mask_storeu_ps(of.target + r * of.target_step + vector_at(v),
                            v + 1 == Vectors ? of.last : first_of(lanes),
                            sums[r][v]);
}

using Multiply = void (*)(const Block&);

template <int Vectors, int... Less>
Multiply of_rows(std::int64_t rows, std::integer_sequence<int, Less...> /*all*/) {
  static constexpr Multiply all[] = {&multiply<Less + 1, Vectors>...};
  return all[rows - 1];
}

Multiply multiply_of(std::int64_t rows, int vectors) {
  constexpr std::make_integer_sequence<int, rows_at_once> all;
  return vectors == 1 ? of_rows<1>(rows, all) : of_rows<2>(rows, all);
}

/// Up to 16 x 16 weights of neighbouring inputs and outputs, turned where a row has inputs.
void pack_block(
    const RowProducts& of, int tap, int input, int output, float* to, std::ptrdiff_t stride) {
  const int inputs = std::min(lanes, of.inputs - input);
  const int outputs = std::min(lanes, of.outputs - output);
  const bool turn = !of.weights.inputs_first;
  const std::ptrdiff_t row = turn ? of.inputs : of.outputs;
  const float* const from = of.weights.values + ((turn ? output : input) * taps + tap) * row +
                            (turn ? input : output);
  __m512i rows[lanes];
#pragma GCC unroll 16
  for (int r = 0; r < lanes; ++r)
    rows[r] = r < (turn ? outputs : inputs)
                  ? _mm512_maskz_loadu_epi32(first_of(turn ? inputs : outputs),
                                             from + std::ptrdiff_t{r} * taps * row)
                  : _mm512_setzero_si512();
  if (turn)
    transpose(rows);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i)
    if (i < inputs)
      _mm512_store_si512(to + i * stride, rows[i]);
}

/// [tap][input][vectors * lanes], outputs from `first` on; zeros beyond the last.
void pack(const RowProducts& of, int first, int vectors, float* packed) {
  const std::ptrdiff_t stride = vector_at(vectors);
  for (int input = 0; input < of.inputs; input += lanes)
    for (int tap = 0; tap < taps; ++tap)
      for (int v = 0; v < vectors; ++v)
        pack_block(of,
                   tap,
                   input,
                   first + v * lanes,
                   packed + (static_cast<std::ptrdiff_t>(tap) * of.inputs + input) * stride +
                       vector_at(v),
                   stride);
}

void multiply_class(const RowProducts& of,
                    const RowClass& rows,
                    int vectors,
                    Block block,
                    const float* input,
                    float* output) {
  const std::int64_t blocks = (rows.length + rows_at_once - 1) / rows_at_once;
  const std::int64_t height = (rows.length + blocks - 1) / blocks;
  const Multiply multiply_block = multiply_of(height, vectors);
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

void products(const RowProducts& of, const float* input, float* output) {
  const auto inputs = static_cast<std::size_t>(of.inputs);
  float* const packed = kept_memory(0, taps * inputs * block_of_outputs);
  alignas(64) float initial[block_of_outputs];
  std::vector<TapAt> taps_at;
  for (int first = 0; first < of.outputs; first += block_of_outputs) {
    const int outputs = std::min(of.outputs - first, block_of_outputs);
    const int vectors = (outputs + lanes - 1) / lanes;
    pack(of, first, vectors, packed);
    for (int o = 0; o < block_of_outputs; ++o)
      initial[o] = of.bias != nullptr && o < outputs ? of.bias[first + o] : 0.0F;
    for (const RowClass& rows : *of.plan) {
      taps_at.clear();
      for (const RowClass::Tap& tap : rows.taps)
        taps_at.push_back(
            {tap.source * of.inputs,
             packed + static_cast<std::ptrdiff_t>(tap.kernel) * of.inputs * vectors * lanes});
      Block block;
      block.taps = taps_at.data();
      block.tap_count = static_cast<int>(taps_at.size());
      block.inputs = of.inputs;
      block.initial = initial;
      block.last = first_of(outputs - (vectors - 1) * lanes);
      multiply_class(of, rows, vectors, block, input, output + first);
    }
  }
}

// ---- Gradients of weights ----

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
struct Piece {
  const std::vector<Reached>& reached;
  Operand source, target;
  __mmask16 last = 0;
};

/// Of one voxel: the channels of `first` one by one times the vectors of `second`.
template <int First, int Vectors>
[[gnu::always_inline]] inline void add_voxel(const float* first,
                                             const float* second,
                                             __mmask16 last,
                                             __m512 (&sums)[First][Vectors]) {
  __m512 values[Vectors];
#pragma GCC unroll 16
  for (int v = 0; v < Vectors; ++v)
    values[v] = v + 1 == Vectors ? _mm512_maskz_loadu_ps(last, second + vector_at(v))
                                 : _mm512_loadu_ps(second + vector_at(v));
#pragma GCC unroll 16
  for (int i = 0; i < First; ++i) {
    const __m512 value = _mm512_set1_ps(first[i]);
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v)
      sums[i][v] = _mm512_fmadd_ps(value, values[v], sums[i][v]);
  }
}

template <int First, int Vectors, bool SourcesFirst>
void add_dots(const Piece& of, float* to) {
  __m512 sums[First][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < First; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v)
      sums[i][v] = _mm512_setzero_ps();
  for (const Reached& reached : of.reached) {
    const std::ptrdiff_t source_step = reached.rows->source_step * of.source.channels;
    const std::ptrdiff_t target_step = reached.rows->target_step * of.target.channels;
    const std::int64_t length = reached.rows->length;
    for (const RowClass::Run* run = reached.begin; run != reached.end; ++run) {
      const float* source =
          of.source.values + (reached.source + run->source) * of.source.channels;
      const float* target = of.target.values + run->target * of.target.channels;
      for (std::int64_t n = 0; n < length; ++n) {
        add_voxel(
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
      float* const at = to + vector_at(i * Vectors + v);
      _mm512_store_ps(at, _mm512_add_ps(_mm512_load_ps(at), sums[i][v]));
    }
}

/// Channels that are summed together, of the weights' axes.
struct Tile {
  int first = 0;
  int firsts = 0;
  int second = 0;
  int vectors = 0;
};

using AddDots = void (*)(const Piece&, float*);

template <bool SourcesFirst>
AddDots add_dots_of(const Tile& tile) {
  if (tile.vectors == 3)
    return &add_dots<8, 3, SourcesFirst>;
  if (tile.vectors == 2)
    return &add_dots<8, 2, SourcesFirst>;
  return tile.firsts == 16 ? &add_dots<16, 1, SourcesFirst> : &add_dots<8, 1, SourcesFirst>;
}

using ByTap = std::vector<Reached>[taps];

void take_part(std::int64_t begin, std::int64_t end, ByTap& reached) {
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

void add_tile(const RowGradients& of,
              const ByTap& reached,
              const Tile& tile,
              const float* source,
              const float* target,
              float* sums) {
  const AddDots add = of.sources_first ? add_dots_of<true>(tile) : add_dots_of<false>(tile);
  const int seconds = of.sources_first ? of.target_channels : of.source_channels;
  const Operand sources{source + (of.sources_first ? tile.first : tile.second),
                        of.source_channels};
  const Operand targets{target + (of.sources_first ? tile.second : tile.first),
                        of.target_channels};
  const __mmask16 last = first_of(seconds - tile.second - (tile.vectors - 1) * lanes);
  for (int k = 0; k < taps; ++k)
    add({reached[k], sources, targets, last},
        sums + static_cast<std::ptrdiff_t>(k) * tile.firsts * tile.vectors * lanes);
}

/// Sums of one tile's channels over all samples, [tap][first][vectors * lanes].
void sum_tile(const RowGradients& of,
              ByTap& reached,
              const Tile& tile,
              const float* source,
              const float* target,
              float* sums) {
  std::fill_n(sums, taps * tile.firsts * tile.vectors * lanes, 0.0F);
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
      add_tile(of,
               reached,
               tile,
               source + n * of.source_voxels * of.source_channels,
               target + n * of.target_voxels * of.target_channels,
               sums);
    }
}

/// To [first][tap][second].
void store_tile(const Tile& tile, int seconds, const float* sums, float* to) {
  for (int k = 0; k < taps; ++k)
    for (int i = 0; i < tile.firsts; ++i)
      for (int v = 0; v < tile.vectors; ++v, sums += lanes) {
        const int second = tile.second + v * lanes;
        _mm512_mask_storeu_ps(
            to + (static_cast<std::ptrdiff_t>(tile.first + i) * taps + k) * seconds + second,
            first_of(seconds - second),
            _mm512_load_ps(sums));
      }
}

void gradients(const RowGradients& of, const float* source, const float* target) {
  ByTap reached;
  for (const RowClass& rows : *of.plan)
    for (const RowClass::Tap& tap : rows.taps)
      reached[tap.kernel].push_back({&rows, tap.source});
  const int firsts = of.sources_first ? of.source_channels : of.target_channels;
  const int seconds = of.sources_first ? of.target_channels : of.source_channels;
  float* const sums = kept_memory(1, std::size_t{taps} * 8 * 3 * lanes);
  for (Tile tile; tile.second < seconds; tile.second += tile.vectors * lanes) {
    const int vectors_left = (seconds - tile.second + lanes - 1) / lanes;
    tile.vectors = vectors_left == 4 ? 2 : std::min(vectors_left, 3);
    for (tile.first = 0; tile.first < firsts; tile.first += tile.firsts) {
      tile.firsts = tile.vectors == 1 && firsts - tile.first >= 16 ? 16 : 8;
      sum_tile(of, reached, tile, source, target, sums);
      store_tile(tile, seconds, sums, of.to);
    }
  }
}

}  // namespace

extern const RowKernels avx512_row_kernels;
const RowKernels avx512_row_kernels = {&products, &gradients};

}  // namespace proxytune::ops
