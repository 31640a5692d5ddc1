#include "centred_image.h"

#include <algorithm>
#include <cmath>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

std::size_t extent(int value) {
  return static_cast<std::size_t>(value);
}

imaging::Shape grown(const imaging::Shape& shape, int voxels) {
  return {shape.z + voxels, shape.y + voxels, shape.x + voxels};
}

}  // namespace

WindowLayout::WindowLayout(int edge, const imaging::Shape& all)
    : window(edge),
      padded(all),
      centres{all.z - edge + 1, all.y - edge + 1, all.x - edge + 1},
      blocks((extent(std::max(centres.x, 0)) + block_width - 1) / block_width),
      // The kernels read whole vectors of 8 columns.
      stride((blocks * block_width + extent(edge) - 1 + 7) / 8 * 8) {}

std::size_t WindowLayout::row_at(int z, int y) const {
  return (extent(z) * extent(centres.y) + extent(y)) * blocks * block_width;
}

std::size_t CentredImage::bytes() const {
  std::size_t bytes = 0;
  for (const Channel& channel : channels)
    bytes += channel.pairs.bytes() + channel.sums.bytes() + channel.inverse_norms.bytes();
  return bytes;
}

WindowLayout window_layout(int window, Border border, const imaging::Shape& shape) {
  const WindowLayout layout(window,
                            border == Border::zero_padded ? grown(shape, window - 1) : shape);
  if (std::min({shape.z, shape.y, shape.x}) < 1 ||
      std::min({layout.centres.z, layout.centres.y, layout.centres.x}) < 1)
    throw core::DataError(
        "no window of edge " + std::to_string(window) + " lies inside a volume of " +
        std::to_string(shape.x) + " x " + std::to_string(shape.y) + " x " +
        std::to_string(shape.z) +
        " voxels. Use a smaller similarity.window or the zero_padded border.");
  return layout;
}

// In the middle of what the zeros around the image become.
Rounding rounding_of(std::span<const float> values,
                     int radius,
                     int window,
                     const PairKernels& kernels) {
  Range range = kernels.range_of(values.data(), values.size());
  if (radius > 0)
    range = {std::min(range.low, 0.0F), std::max(range.high, 0.0F)};
  const double low = range.low;
  const double high = range.high;
  Rounding rounding;
  rounding.middle = low + (high - low) / 2;
  rounding.scale = high > low ? 2.0 * largest_code(window) / (high - low) : 0.0;
  const float zero = 0;
  if (radius > 0)
    kernels.round_codes(&zero, 1, rounding.middle, rounding.scale, &rounding.outside);
  return rounding;
}

void refuse_unlike_images() {
  throw core::DataError(
      "local cross-correlation compares images of one shape and one number of channels; "
      "resample them to a common grid, and give all cases the same channels.");
}

double mean_correlation(double sum,
                        std::size_t flat,
                        const WindowLayout& layout,
                        FlatWindows convention) {
  auto centres = static_cast<double>(layout.centres.voxels());
  if (convention == FlatWindows::one)
    sum += static_cast<double>(flat);
  if (convention == FlatWindows::skip)
    centres -= static_cast<double>(flat);
  return centres > 0 ? std::min(1.0, sum / centres) : 0.0;
}

// Along z a window holds `window` products of two codes, and two such sums are subtracted.
int largest_code(int window) {
  return static_cast<int>(std::sqrt(2147483647.0 / (2.0 * window)));
}

}  // namespace proxytune::similarity
