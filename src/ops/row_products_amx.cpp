#include <algorithm>
#include <vector>

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops/row_products.h"
#include "ops/weight_blocks_avx512.h"

namespace proxytune::ops {
namespace {

constexpr int tile_rows = 16;
constexpr int tile_bytes = 64;
constexpr int block_of_outputs = 2 * lanes;  // two tiles beside each other
constexpr std::ptrdiff_t words_of_a_tile = vector_at(tile_rows);

/// Linux lets a process use tiles once it has asked.
bool may_use_tiles() {
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

/// Sums in tiles 0 to 3 (row block, block of outputs), rows in 4 and 5, weights in 6 and 7.
/// `depth` channels are multiplied at a time.
void configure(int rows, int depth) {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t bytes[16] = {};
    std::uint8_t rows[16] = {};
  } to;
  for (int t = 0; t < 8; ++t) {
    to.bytes[t] = static_cast<std::uint16_t>(t == 4 || t == 5 ? 2 * depth : tile_bytes);
    to.rows[t] = static_cast<std::uint8_t>(t < 6 ? rows : depth / 2);
  }
  _tile_loadconfig(&to);
}

struct TapAt {
  std::ptrdiff_t source = 0;               // values
  const std::uint32_t* weights = nullptr;  // [depths][2][tile]
};

struct Block {
  const std::uint16_t* sources[2] = {};
  std::ptrdiff_t source_step = 0;  // bytes
  const TapAt* taps = nullptr;
  int tap_count = 0;
  int inputs = 0;
  int depth = 0;
  float* sums = nullptr;  // [2 row blocks][2 blocks of outputs][tile]
};

template <bool TwoRows, bool TwoOutputs>
void multiply(const Block& of) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int t = 0; t < of.tap_count; ++t) {
    const TapAt& tap = of.taps[t];
    const std::uint32_t* weights = tap.weights;
    for (int i = 0; i < of.inputs; i += of.depth, weights += 2 * words_of_a_tile) {
      _tile_loadd(6, weights, tile_bytes);
      _tile_loadd(4, of.sources[0] + tap.source + i, of.source_step);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (TwoOutputs) {
        _tile_loadd(7, weights + words_of_a_tile, tile_bytes);
        _tile_dpbf16ps(1, 4, 7);
      }
      if constexpr (TwoRows) {
        _tile_loadd(5, of.sources[1] + tap.source + i, of.source_step);
        _tile_dpbf16ps(2, 5, 6);
        if constexpr (TwoOutputs)
          _tile_dpbf16ps(3, 5, 7);
      }
    }
  }
  _tile_stored(0, of.sums, tile_bytes);
  if constexpr (TwoOutputs)
    _tile_stored(1, of.sums + words_of_a_tile, tile_bytes);
  if constexpr (TwoRows)
    _tile_stored(2, of.sums + 2 * words_of_a_tile, tile_bytes);
  if constexpr (TwoRows && TwoOutputs)
    _tile_stored(3, of.sums + 3 * words_of_a_tile, tile_bytes);
}

using Multiply = void (*)(const Block&);

/// The weights of 16 outputs and `depth` inputs, a word being those of two inputs that follow
/// one another, [depth / 2][16].
void pack_tile(
    const RowProducts& of, int tap, int input, int output, int depth, std::uint32_t* to) {
  if (of.weights.inputs_first) {
    const std::ptrdiff_t step = static_cast<std::ptrdiff_t>(taps) * of.outputs;
    const float* from =
        of.weights.values + input * step + std::ptrdiff_t{tap} * of.outputs + output;
    for (int pair = 0; pair < depth / 2; ++pair, from += 2 * step)
      _mm512_store_si512(
          to + vector_at(pair),
          Words16::pair(_mm512_loadu_si512(from), _mm512_loadu_si512(from + step)));
    return;
  }
  const std::ptrdiff_t step = static_cast<std::ptrdiff_t>(taps) * of.inputs;
  const float* const from =
      of.weights.values + output * step + std::ptrdiff_t{tap} * of.inputs + input;
  __m512i rows[lanes];
#pragma GCC unroll 16
  for (int o = 0; o < lanes; ++o) {
    const __m512i low = _mm512_loadu_si512(from + o * step);
    const __m512i high =
        depth == 32 ? _mm512_loadu_si512(from + o * step + lanes) : _mm512_setzero_si512();
    rows[o] = Words16::pair(Words16::even(low, high), Words16::odd(low, high));
  }
  transpose(rows);
#pragma GCC unroll 16
  for (int pair = 0; pair < lanes; ++pair)
    if (pair < depth / 2)
      _mm512_store_si512(to + vector_at(pair), rows[pair]);
}

/// [tap][depths][2][tile].
void pack(const RowProducts& of, int first, int tiles, int depth, std::uint32_t* packed) {
  for (int tap = 0; tap < taps; ++tap)
    for (int input = 0; input < of.inputs; input += depth, packed += 2 * words_of_a_tile)
      for (int v = 0; v < tiles; ++v)
        pack_tile(of, tap, input, first + v * lanes, depth, packed + v * words_of_a_tile);
}

/// A row of 16 sums, rounded, to its target.
void write(const float* sums, __m512 initial, std::uint16_t* to) {
  const __m512i rounded =
      Words16::rounded(_mm512_castps_si512(_mm512_add_ps(_mm512_load_ps(sums), initial)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}

/// The rows of a class in blocks of equal height; those of a run that is no multiple of it
/// overlap.
class ClassRows {
 public:
  explicit ClassRows(const RowClass& rows)
      : rows_(rows),
        blocks_((rows.length + tile_rows - 1) / tile_rows),
        height_((rows.length + blocks_ - 1) / blocks_) {}
  std::int64_t height() const { return height_; }
  std::int64_t count() const { return blocks_ * static_cast<std::int64_t>(rows_.runs.size()); }
  RowClass::Run first_of(std::int64_t block) const {
    const RowClass::Run& run = rows_.runs[static_cast<std::size_t>(block / blocks_)];
    const std::int64_t begin = std::min(block % blocks_ * height_, rows_.length - height_);
    return {run.target + begin * rows_.target_step, run.source + begin * rows_.source_step};
  }

 private:
  const RowClass& rows_;
  std::int64_t blocks_, height_;
};

void multiply_class(const RowProducts& of,
                    const RowClass& rows,
                    int tiles,
                    Block block,
                    const __m512 (&initial)[2],
                    const std::uint16_t* input,
                    std::uint16_t* output) {
  const ClassRows blocks(rows);
  configure(static_cast<int>(blocks.height()), block.depth);
  block.source_step = rows.source_step * of.inputs * 2;
  for (std::int64_t b = 0; b < blocks.count(); b += 2) {
    const bool two = b + 1 < blocks.count();
    const RowClass::Run at[] = {blocks.first_of(b), blocks.first_of(two ? b + 1 : b)};
    for (int r = 0; r < 2; ++r)
      block.sources[r] = input + at[r].source * of.inputs;
    if (tiles == 2)
      two ? multiply<true, true>(block) : multiply<false, true>(block);
    else
      two ? multiply<true, false>(block) : multiply<false, false>(block);
    for (int r = 0; r < (two ? 2 : 1); ++r)
      for (std::int64_t n = 0; n < blocks.height(); ++n)
        for (int v = 0; v < tiles; ++v)
          write(block.sums + (2 * r + v) * words_of_a_tile + vector_at(n),
                initial[v],
                output + (at[r].target + n * rows.target_step) * of.outputs + vector_at(v));
  }
}

void products(const RowProducts& of, const std::uint16_t* input, std::uint16_t* output) {
  const int depth = of.inputs % 32 == 0 ? 32 : 16;
  const std::size_t words =
      static_cast<std::size_t>(taps * of.inputs / depth) * 2 * words_of_a_tile;
  auto* const packed = reinterpret_cast<std::uint32_t*>(kept_memory(0, words));
  alignas(64) float sums[4 * words_of_a_tile];
  std::vector<TapAt> taps_at;
  Block block;
  block.inputs = of.inputs;
  block.depth = depth;
  block.sums = sums;
  for (int first = 0; first < of.outputs; first += block_of_outputs) {
    const int tiles = of.outputs - first > lanes ? 2 : 1;
    pack(of, first, tiles, depth, packed);
    __m512 initial[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int v = 0; of.bias != nullptr && v < tiles; ++v)
      initial[v] = _mm512_loadu_ps(of.bias + first + vector_at(v));
    for (const RowClass& rows : *of.plan) {
      taps_at.clear();
      for (const RowClass::Tap& tap : rows.taps)
        taps_at.push_back({tap.source * of.inputs,
                           packed + static_cast<std::ptrdiff_t>(tap.kernel) * of.inputs /
                                        depth * 2 * words_of_a_tile});
      block.taps = taps_at.data();
      block.tap_count = static_cast<int>(taps_at.size());
      multiply_class(of, rows, tiles, block, initial, input, output + first);
    }
  }
  _tile_release();
}

}  // namespace

MatrixProducts amx_products();
MatrixProducts amx_products() {
  static const bool may = may_use_tiles();
  return may ? &products : nullptr;
}

}  // namespace proxytune::ops
