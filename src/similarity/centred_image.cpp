#include "centred_image.h"

#include <algorithm>
#include <cmath>

#include "pair_kernels.h"

namespace proxytune::similarity {
namespace {

std::size_t extent(int value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

WindowLayout::WindowLayout(int edge, const imaging::Shape& all)
    : window(edge),
      padded(all),
      centres{all.z - edge + 1, all.y - edge + 1, all.x - edge + 1},
      blocks((extent(std::max(centres.x, 0)) + block_width - 1) / block_width),
      // The kernels read whole vectors of 8 columns.
      stride((blocks * block_width + extent(edge) - 1 + 7) / 8 * 8) {}

std::size_t WindowLayout::band_at(int z, int first_row) const {
  return (extent(z) * extent(centres.y) + extent(first_row)) * blocks * block_width;
}

std::size_t CentredImage::bytes() const {
  std::size_t bytes = 0;
  for (const Channel& channel : channels)
    bytes += channel.pairs.bytes() + channel.sums.bytes() + channel.inverse_norms.bytes();
  return bytes;
}

// Along z a window holds `window` products of two codes, and two such sums are subtracted.
int largest_code(int window) {
  return static_cast<int>(std::sqrt(2147483647.0 / (2.0 * window)));
}

}  // namespace proxytune::similarity
