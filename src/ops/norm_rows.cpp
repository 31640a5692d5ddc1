#include "ops/norm_rows.h"

#include <algorithm>
#include <type_traits>

#include "ops/clones.h"

namespace proxytune::ops {
namespace {

constexpr int lanes = 32;
// Values whose sums are kept in float before they go on in double.
constexpr std::int64_t block_values = 128 * lanes;

struct Lanes {
  alignas(64) float at[lanes] = {};
};

PROXYTUNE_INLINE double total(const Lanes& of) {
  double sum = 0;
  for (const float lane : of.at)
    sum += static_cast<double>(lane);
  return sum;
}

/// Calls with an offset and a number of lanes, a constant but at the end of a row.
template <class Call>
PROXYTUNE_INLINE void in_lanes(const RowExtents& extents,
                               std::int64_t first_row,
                               std::int64_t rows,
                               const Call& call) {
  for (std::int64_t y = first_row; y < first_row + rows; ++y) {
    const std::int64_t row = y * extents.pitch;
    std::int64_t x = 0;
    for (; x + lanes <= extents.count; x += lanes)
      call(row + x, std::integral_constant<int, lanes>{});
    for (; x + lanes / 2 <= extents.count; x += lanes / 2)
      call(row + x, std::integral_constant<int, lanes / 2>{});
    if (x < extents.count)
      call(row + x, static_cast<int>(extents.count - x));
  }
}

/// Calls with the first row and the number of rows of each block.
template <class Call>
PROXYTUNE_INLINE void in_blocks(const RowExtents& extents, const Call& call) {
  const std::int64_t step = std::max<std::int64_t>(1, block_values / extents.count);
  for (std::int64_t y = 0; y < extents.rows; y += step)
    call(y, std::min(step, extents.rows - y));
}

}  // namespace

PROXYTUNE_CLONES
void add_moments(const RowExtents& extents, const float* values, ChannelMoments& moments) {
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    Lanes sum;
    in_lanes(extents, first, rows, [&](std::int64_t at, auto n) PROXYTUNE_INLINE_LAMBDA {
      for (int j = 0; j < n; ++j)
        sum.at[j] += values[at + j];
    });
    const auto count = static_cast<double>(rows * extents.count);
    const double mean = total(sum) / count;
    const auto rounded = static_cast<float>(mean);
    Lanes square;
    in_lanes(extents, first, rows, [&](std::int64_t at, auto n) PROXYTUNE_INLINE_LAMBDA {
      for (int j = 0; j < n; ++j) {
        const float deviation = values[at + j] - rounded;
        square.at[j] += deviation * deviation;
      }
    });
    const double rounding = mean - static_cast<double>(rounded);
    const double delta = mean - moments.mean;
    const double all = moments.count + count;
    moments.mean += delta * count / all;
    moments.squares += total(square) - count * rounding * rounding +
                       delta * delta * moments.count * count / all;
    moments.count = all;
  });
}

PROXYTUNE_CLONES
void activate(const RowExtents& extents, const ChannelNorm& norm, float* values) {
  const ChannelNorm by = norm;
  for (std::int64_t y = 0; y < extents.rows; ++y) {
    float* const row = values + y * extents.pitch;
    for (std::int64_t x = 0; x < extents.count; ++x) {
      const float normal = (row[x] - by.mean) * by.scale;
      const float sloped = by.slope * normal;
      row[x] = normal > 0 ? normal : sloped;
    }
  }
}

PROXYTUNE_CLONES
void pass_activation(const RowExtents& extents,
                     const ChannelNorm& norm,
                     const float* __restrict values,
                     float* __restrict gradients,
                     ChannelGradient& sums) {
  const ChannelNorm by = norm;
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    Lanes plain;
    Lanes weighted;
    Lanes of_slope;
    in_lanes(extents, first, rows, [&](std::int64_t at, auto n) PROXYTUNE_INLINE_LAMBDA {
      for (int j = 0; j < n; ++j) {
        const float normal = (values[at + j] - by.mean) * by.scale;
        const float after = gradients[at + j];
        const float sloped = by.slope * after;
        const float before = normal > 0 ? after : sloped;
        const float negative = normal > 0 ? 0.0F : normal;
        gradients[at + j] = before;
        plain.at[j] += before;
        weighted.at[j] += before * normal;
        of_slope.at[j] += after * negative;
      }
    });
    sums.plain += total(plain);
    sums.weighted += total(weighted);
    sums.slope += total(of_slope);
  });
}

PROXYTUNE_CLONES
void pass_norm(const RowExtents& extents,
               const ChannelNorm& norm,
               float mean_plain,
               float mean_weighted,
               const float* __restrict values,
               float* __restrict gradients) {
  const ChannelNorm by = norm;
  for (std::int64_t y = 0; y < extents.rows; ++y) {
    const float* __restrict const value = values + y * extents.pitch;
    float* __restrict const gradient = gradients + y * extents.pitch;
    for (std::int64_t x = 0; x < extents.count; ++x) {
      const float normal = (value[x] - by.mean) * by.scale;
      gradient[x] = by.scale * (gradient[x] - mean_plain - normal * mean_weighted);
    }
  }
}

PROXYTUNE_CLONES
double sum_of(const RowExtents& extents, const float* values) {
  double result = 0;
  in_blocks(extents, [&](std::int64_t first, std::int64_t rows) PROXYTUNE_INLINE_LAMBDA {
    Lanes sum;
    in_lanes(extents, first, rows, [&](std::int64_t at, auto n) PROXYTUNE_INLINE_LAMBDA {
      for (int j = 0; j < n; ++j)
        sum.at[j] += values[at + j];
    });
    result += total(sum);
  });
  return result;
}

}  // namespace proxytune::ops
