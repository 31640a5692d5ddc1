#include "centre_image.h"

#include <algorithm>
#include <vector>

namespace proxytune::similarity {
namespace {

std::size_t extent(int value) {
  return static_cast<std::size_t>(value);
}

/// A channel's codes plane by plane, with what the zeros around it become.
class PaddedCodes {
 public:
  PaddedCodes(std::span<const float> values,
              const imaging::Shape& shape,
              const WindowLayout& layout,
              const PairKernels& kernels)
      : values_(values),
        shape_(shape),
        layout_(layout),
        kernels_(kernels),
        radius_((layout.padded.x - shape.x) / 2),
        rounding_(rounding_of(values, radius_, layout.window, kernels)) {}

  void put_plane(int z, std::int16_t* codes) const {
    std::fill(codes, codes + layout_.plane(), rounding_.outside);
    if (z < radius_ || z >= shape_.z + radius_)
      return;
    const float* row =
        values_.data() + extent(z - radius_) * extent(shape_.y) * extent(shape_.x);
    codes += extent(radius_) * layout_.stride + extent(radius_);
    for (int y = 0; y < shape_.y; ++y, row += shape_.x, codes += layout_.stride)
      kernels_.round_codes(row, extent(shape_.x), rounding_.middle, rounding_.scale, codes);
  }

 private:
  std::span<const float> values_;
  const imaging::Shape& shape_;
  const WindowLayout& layout_;
  const PairKernels& kernels_;
  int radius_;
  Rounding rounding_;
};

/// Planes in turn, zeros at first: the one that follows plane z is that of z - window.
class Planes {
 public:
  explicit Planes(const WindowLayout& layout)
      : count_(layout.window + 1),
        size_(layout.plane()),
        codes_(extent(count_) * size_, std::int16_t{0}) {}
  std::int16_t* at(int z) { return codes_.data() + extent(z % count_) * size_; }

 private:
  int count_;
  std::size_t size_;
  std::vector<std::int16_t> codes_;
};

/// Blocks reach behind the last centre of a row; what they hold there must count nothing.
void silence_tails(CentredImage::Channel& channel, const WindowLayout& layout) {
  const std::size_t width = layout.row_at(0, 1);
  float* const values = channel.inverse_norms.data();
  for (std::size_t row = 0; row < channel.inverse_norms.size(); row += width)
    std::fill(values + row + extent(layout.centres.x), values + row + width, 0.0F);
}

}  // namespace

CentredImage::Channel centred(std::span<const float> values,
                              const imaging::Shape& shape,
                              const WindowLayout& layout,
                              const PairKernels& kernels) {
  CentredImage::Channel channel;
  channel.pairs = Buffer<std::int16_t>(2 * extent(layout.padded.z) * layout.plane());
  channel.sums = Buffer<std::int32_t>(layout.row_at(layout.centres.z, 0));
  channel.inverse_norms = Buffer<float>(channel.sums.size());
  const PaddedCodes codes(values, shape, layout, kernels);
  Planes planes(layout);
  std::vector<std::int32_t> columns(layout.plane(), 0);
  std::vector<std::int32_t> squared(layout.plane(), 0);
  std::vector<double> scratch(rows_of_scratch * layout.stride);
  for (int z = 0; z < layout.padded.z; ++z) {
    codes.put_plane(z, planes.at(z));
    kernels.enter_codes({planes.at(z),
                         planes.at(z + 1),
                         channel.pairs.data() + 2 * extent(z) * layout.plane(),
                         columns.data(),
                         squared.data(),
                         layout.plane()});
    const int centre = z - layout.window + 1;
    if (centre < 0)
      continue;
    const std::size_t at = layout.row_at(centre, 0);
    kernels.keep_moments({columns.data(),
                          squared.data(),
                          layout.stride,
                          extent(layout.centres.y),
                          layout.blocks,
                          layout.window,
                          channel.sums.data() + at,
                          channel.inverse_norms.data() + at,
                          scratch.data()});
  }
  silence_tails(channel, layout);
  return channel;
}

}  // namespace proxytune::similarity
