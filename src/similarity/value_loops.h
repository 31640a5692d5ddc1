#pragma once

// The loops over single voxels, compiled once for each instruction set (pair_kernels_*.cpp).
// Sums of floats keep one order by their 16 lanes; all else is exact.

#include "pair_kernels.h"

namespace proxytune::similarity {
namespace {

constexpr std::size_t lane_count = 16;

/// As many lanes as it takes for the compiler to keep them in memory, and to make vectors.
constexpr std::size_t range_lanes = 128;

inline void widen(const float* __restrict values,
                  float* __restrict low,
                  float* __restrict high,
                  std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    low[i] = values[i] < low[i] ? values[i] : low[i];
    high[i] = values[i] > high[i] ? values[i] : high[i];
  }
}

Range range_of(const float* values, std::size_t count) {
  float low[range_lanes];
  float high[range_lanes];
  for (std::size_t lane = 0; lane < range_lanes; ++lane)
    low[lane] = high[lane] = values[0];
  for (std::size_t i = 0; i < count; i += range_lanes)
    widen(values + i, low, high, count - i < range_lanes ? count - i : range_lanes);
  Range range{low[0], high[0]};
  for (std::size_t lane = 1; lane < range_lanes; ++lane) {
    range.low = low[lane] < range.low ? low[lane] : range.low;
    range.high = high[lane] > range.high ? high[lane] : range.high;
  }
  return range;
}

void round_codes(
    const float* values, std::size_t count, double middle, double scale, std::int16_t* codes) {
  // Adding it leaves no bits behind the point.
  constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  for (std::size_t i = 0; i < count; ++i) {
    const double rounded = ((values[i] - middle) * scale + rounder) - rounder;
    codes[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(rounded));
  }
}

void bin_codes(const float* values,
               std::size_t count,
               double low,
               double scale,
               int bins,
               std::uint8_t* codes) {
  const std::int32_t last = bins - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::int32_t>((values[i] - low) * scale);
    codes[i] = static_cast<std::uint8_t>(code < last ? code : last);
  }
}

template <class Term>
double sum_in_lanes(std::size_t count, const Term& term) {
  double lanes[lane_count] = {};
  std::size_t i = 0;
  for (; i + lane_count <= count; i += lane_count)
    for (std::size_t lane = 0; lane < lane_count; ++lane)
      lanes[lane] += term(i + lane);
  for (std::size_t lane = 0; i < count; ++i, ++lane)
    lanes[lane] += term(i);
  double sum = 0;
  for (const double lane : lanes)
    sum += lane;
  return sum;
}

double dot_product(const float* one, const float* other, std::size_t count) {
  return sum_in_lanes(count, [&](std::size_t i) {
    return static_cast<double>(one[i]) * static_cast<double>(other[i]);
  });
}

double squared_differences(const float* one, const float* other, std::size_t count) {
  return sum_in_lanes(count, [&](std::size_t i) {
    const double difference = static_cast<double>(one[i]) - static_cast<double>(other[i]);
    return difference * difference;
  });
}

/// Adds the four private tables to the joint histogram and empties them.
void collect(const JointCounts& work) {
  std::uint16_t* const tables = work.tables;
  const std::size_t cells = work.cells;
  const std::size_t distance = work.table_distance;
  for (std::size_t i = 0; i < cells; ++i)
    work.joint[i] += static_cast<std::uint32_t>(tables[i]) + tables[distance + i] +
                     tables[2 * distance + i] + tables[3 * distance + i];
  for (std::size_t i = 0; i < 4 * distance; ++i)
    tables[i] = 0;
}

/// Neighbouring voxels often fall into one cell; with a table for each of four neighbours their
/// increments do not wait for one another, and a run of one cell, such as background, is one
/// addition. Two bytes a count keep four tables of 64 x 64 cells in the first cache; they are
/// emptied before one could overflow.
void count_jointly(const JointCounts& work) {
  constexpr std::size_t chunk = 512;
  constexpr std::size_t run = 32;
  constexpr std::size_t chunks_a_collection = 4 * std::size_t{65535} / chunk;
  const auto stride = static_cast<std::uint16_t>(work.stride);
  std::uint16_t* const first = work.tables;
  std::uint16_t* const second = first + work.table_distance;
  std::uint16_t* const third = second + work.table_distance;
  std::uint16_t* const fourth = third + work.table_distance;
  alignas(64) std::uint16_t cells[chunk];
  std::size_t chunks = 0;
  std::size_t voxel = 0;
  for (; voxel + chunk <= work.voxels; voxel += chunk) {
    const std::uint8_t* const rows = work.rows + voxel;
    const std::uint8_t* const columns = work.columns + voxel;
    for (std::size_t i = 0; i < chunk; ++i)
      cells[i] = static_cast<std::uint16_t>(rows[i] * stride + columns[i]);
    for (std::size_t begin = 0; begin < chunk; begin += run) {
      const std::uint16_t* const part = cells + begin;
      std::uint16_t different = 0;
      for (std::size_t i = 0; i < run; ++i)
        different = static_cast<std::uint16_t>(different | (part[i] ^ part[0]));
      if (different == 0) {
        work.joint[part[0]] += run;
        continue;
      }
      for (std::size_t i = 0; i < run; i += 4) {
        std::uint64_t four;
        __builtin_memcpy(&four, part + i, sizeof four);
        ++first[four & 0xFFFFU];
        ++second[(four >> 16U) & 0xFFFFU];
        ++third[(four >> 32U) & 0xFFFFU];
        ++fourth[four >> 48U];
      }
    }
    if (++chunks == chunks_a_collection) {
      collect(work);
      chunks = 0;
    }
  }
  collect(work);
  for (; voxel < work.voxels; ++voxel)
    ++work.joint[static_cast<std::size_t>(work.rows[voxel]) * stride + work.columns[voxel]];
}

}  // namespace
}  // namespace proxytune::similarity
