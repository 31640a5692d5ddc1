#pragma once

#include <cstdint>
#include <vector>

#include "proxytune/imaging/volume.h"

namespace proxytune::test {

/// The integer formula of tests/reference/similarity_reference.py.
inline imaging::Volume texture(int seed, const imaging::Shape& shape = {14, 13, 12}) {
  imaging::Volume volume;
  volume.shape = shape;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.voxels()); ++i) {
    const auto code = (i * 7919 + seed * 104729 + (i * i % 1009) * (31 + seed)) % 1000;
    volume.voxels.push_back(static_cast<float>(static_cast<double>(code) / 1000.0));
  }
  return volume;
}

inline imaging::Volume blend(const imaging::Volume& one, const imaging::Volume& other) {
  imaging::Volume volume = one;
  for (std::size_t i = 0; i < volume.voxels.size(); ++i)
    volume.voxels[i] = one.voxels[i] * 0.75F + other.voxels[i] * 0.25F;
  return volume;
}

inline imaging::Volume filled(const imaging::Shape& shape, float value) {
  imaging::Volume volume;
  volume.shape = shape;
  volume.voxels.assign(shape.voxels(), value);
  return volume;
}

/// `first` and `second` as the two channels of one volume.
inline imaging::Volume two_channels(const imaging::Volume& first,
                                    const imaging::Volume& second) {
  imaging::Volume volume = first;
  volume.channels = 2;
  volume.voxels.insert(volume.voxels.end(), second.voxels.begin(), second.voxels.end());
  return volume;
}

}  // namespace proxytune::test
