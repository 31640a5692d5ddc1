#include "proxytune/training/boxes.h"

#include <algorithm>

namespace proxytune::training {
namespace {

/// Calls row(source offset, target offset, length) for each x-row of the box's part inside.
template <class Row>
void for_each_row(const imaging::Shape& shape, const Box& box, const Row& row) {
  const Triple limits{shape.z, shape.y, shape.x};
  Triple low{};
  Triple high{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    low[axis] = std::max(0, -box.start[axis]);
    high[axis] = std::min(box.extents[axis], limits[axis] - box.start[axis]);
  }
  if (high[2] <= low[2])
    return;
  for (int z = low[0]; z < high[0]; ++z)
    for (int y = low[1]; y < high[1]; ++y) {
      const auto source =
          (static_cast<std::ptrdiff_t>(box.start[0] + z) * shape.y + box.start[1] + y) *
              shape.x +
          box.start[2] + low[2];
      const auto target =
          (static_cast<std::ptrdiff_t>(z) * box.extents[1] + y) * box.extents[2] + low[2];
      row(source, target, high[2] - low[2]);
    }
}

bool inside(const imaging::Shape& shape, const Box& box) {
  return box.start[0] >= 0 && box.start[1] >= 0 && box.start[2] >= 0 &&
         box.start[0] + box.extents[0] <= shape.z && box.start[1] + box.extents[1] <= shape.y &&
         box.start[2] + box.extents[2] <= shape.x;
}

}  // namespace

void copy_box(const imaging::VolumeView& image,
              const Box& box,
              float shift,
              std::span<float> out) {
  if (!inside(image.shape, box))
    std::ranges::fill(out, 0.0F);
  const std::ptrdiff_t channels = image.channels;
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    const float* const source = image.channel(static_cast<int>(c)).data();
    for_each_row(image.shape, box, [&](std::ptrdiff_t from, std::ptrdiff_t to, int length) {
      const float* const in = source + from;
      float* const target = out.data() + to * channels + c;
      if (channels == 1)
        for (int x = 0; x < length; ++x)
          target[x] = in[x] + shift;
      else
        for (int x = 0; x < length; ++x)
          target[x * channels] = in[x] + shift;
    });
  }
}

void copy_box(const imaging::LabelView& label, const Box& box, std::span<std::uint8_t> out) {
  if (!inside(label.shape, box))
    std::ranges::fill(out, std::uint8_t{0});
  for_each_row(label.shape, box, [&](std::ptrdiff_t from, std::ptrdiff_t to, int length) {
    std::copy_n(label.voxels.data() + from, length, out.data() + to);
  });
}

}  // namespace proxytune::training
