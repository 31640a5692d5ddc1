#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "buffer.h"
#include "pair_kernels.h"
#include "proxytune/imaging/volume.h"
#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// Where things lie in a CentredImage. Windows of edge `window` are centred at `centres`; the
/// codes they reach are `padded`.
struct WindowLayout {
  int window = 0;
  imaging::Shape padded;
  imaging::Shape centres;
  std::size_t blocks = 0;  // of 16 centres along x
  std::size_t stride = 0;  // codes of a row, with room for the last block's window

  WindowLayout() = default;
  WindowLayout(int window, const imaging::Shape& padded);
  std::size_t plane() const { return static_cast<std::size_t>(padded.y) * stride; }
  /// Where the values of a row's centres begin among sums and inverse norms.
  std::size_t row_at(int z, int y) const;
  bool operator==(const WindowLayout&) const = default;
};

/// What the pairs of one image share: its values as integer codes, and for every window centre
/// the sum of its codes and the inverse of their norm, (z, y, 16 blocks).
struct CentredImage : PreparedImage {
  struct Channel {
    Buffer<std::int16_t> pairs;  // (z, y, stride, 2): code, and code of plane z - window
    Buffer<std::int32_t> sums;
    Buffer<float> inverse_norms;  // 1 / sqrt(N sum c^2 - (sum c)^2); 0: flat, or no centre
  };
  WindowLayout layout;
  std::vector<Channel> channels;
  std::size_t bytes() const override;
};

/// Of images of this shape. Throws core::DataError where no window fits.
WindowLayout window_layout(int window, Border border, const imaging::Shape& shape);

/// How values become codes, and the code of the zeros around them.
struct Rounding {
  double middle = 0;
  double scale = 0;
  std::int16_t outside = 0;
};
Rounding rounding_of(std::span<const float> values,
                     int radius,
                     int window,
                     const PairKernels& kernels);

[[noreturn]] void refuse_unlike_images();

/// From the sum of squared correlations; `flat` windows have no contrast in either image.
double mean_correlation(double sum,
                        std::size_t flat,
                        const WindowLayout& layout,
                        FlatWindows convention);

/// The largest code of that window edge: sums of products along z stay within 32 bits.
int largest_code(int window);

}  // namespace proxytune::similarity
