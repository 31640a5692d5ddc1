#include "ops/rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ops/bfloat16.h"

namespace proxytune::ops {
namespace {

template <class T>
PROXYTUNE_INLINE void add_all(const T* values, std::int64_t voxels, std::span<double> sums) {
  constexpr int most = 64;
  constexpr std::int64_t block = 128;  // runs whose sums are kept in float
  const auto channels = static_cast<std::int64_t>(sums.size());
  for (std::int64_t first = 0; first < channels; first += most) {
    const std::int64_t here = std::min<std::int64_t>(most, channels - first);
    // A run of neighbours: several voxels where all channels fit, or a part of one voxel's.
    const std::int64_t together = channels <= most ? most / channels : 1;
    const std::int64_t lanes = here * together;
    const std::int64_t runs = voxels / together;
    for (std::int64_t begin = 0; begin < runs; begin += block) {
      float lane_sums[most] = {};
      for (std::int64_t run = begin; run < std::min(begin + block, runs); ++run)
        for (std::int64_t i = 0; i < lanes; ++i)
          lane_sums[i] += value_of(values[run * together * channels + first + i]);
      for (std::int64_t i = 0; i < lanes; ++i)
        sums[static_cast<std::size_t>(first + i % here)] += static_cast<double>(lane_sums[i]);
    }
    for (std::int64_t v = runs * together; v < voxels; ++v)
      for (std::int64_t c = 0; c < here; ++c)
        sums[static_cast<std::size_t>(first + c)] +=
            static_cast<double>(value_of(values[v * channels + first + c]));
  }
}

}  // namespace

PROXYTUNE_CLONES
void widen(const std::uint16_t* __restrict narrow, std::int64_t count, float* __restrict wide) {
  for (std::int64_t i = 0; i < count; ++i)
    wide[i] = std::bit_cast<float>(static_cast<std::uint32_t>(narrow[i]) << 16U);
}

PROXYTUNE_CLONES
void narrow(const float* __restrict wide,
            std::int64_t count,
            std::uint16_t* __restrict narrow) {
  for (std::int64_t i = 0; i < count; ++i)
    narrow[i] = static_cast<std::uint16_t>(narrowed(wide[i]));
}

PROXYTUNE_CLONES
void add(const std::uint16_t* __restrict first,
         const std::uint16_t* __restrict second,
         std::int64_t count,
         std::uint16_t* __restrict sums) {
  for (std::int64_t i = 0; i < count; ++i)
    sums[i] = static_cast<std::uint16_t>(
        narrowed(value_of(Bfloat16{first[i]}) + value_of(Bfloat16{second[i]})));
}

PROXYTUNE_CLONES
void split_pairs(const std::uint32_t* __restrict pairs,
                 std::int64_t count,
                 std::uint16_t* __restrict low,
                 std::uint16_t* __restrict high) {
  for (std::int64_t i = 0; i < count; ++i) {
    low[i] = static_cast<std::uint16_t>(pairs[i] & 0xFFFFU);
    high[i] = static_cast<std::uint16_t>(pairs[i] >> 16U);
  }
}

PROXYTUNE_CLONES
void narrow_to_pairs(const float* __restrict low,
                     const float* __restrict high,
                     std::int64_t count,
                     std::uint32_t* __restrict pairs) {
  if (high == nullptr)
    for (std::int64_t i = 0; i < count; ++i)
      pairs[i] = narrowed(low[i]);
  else
    for (std::int64_t i = 0; i < count; ++i)
      pairs[i] = narrowed(low[i]) | narrowed(high[i]) << 16U;
}

PROXYTUNE_CLONES
void add_channels(const float* values, std::int64_t voxels, std::span<double> sums) {
  add_all(values, voxels, sums);
}

PROXYTUNE_CLONES
void add_channels(const Bfloat16* values, std::int64_t voxels, std::span<double> sums) {
  add_all(values, voxels, sums);
}

}  // namespace proxytune::ops
