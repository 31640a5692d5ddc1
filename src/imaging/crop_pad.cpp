#include <algorithm>

#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

namespace {

/// The tight box of the voxels of which `inside(offset)` is true: of each line the first and
/// the last.
template <class Inside>
std::optional<Box> tight_box(const Shape& shape, const Inside& inside) {
  Box box{extents(shape), {0, 0, 0}};
  std::size_t line = 0;
  for (int z = 0; z < shape.z; ++z)
    for (int y = 0; y < shape.y; ++y, line += static_cast<std::size_t>(shape.x)) {
      const auto is_inside = [&](int x) { return inside(line + static_cast<std::size_t>(x)); };
      int first = 0;
      while (first < shape.x && !is_inside(first))
        ++first;
      if (first == shape.x)
        continue;
      int last = shape.x - 1;
      while (!is_inside(last))
        --last;
      box.begin = {
          std::min(box.begin[0], first), std::min(box.begin[1], y), std::min(box.begin[2], z)};
      box.end = {std::max(box.end[0], last + 1), std::max(box.end[1], y + 1), z + 1};
    }
  if (box.end[0] == 0)
    return std::nullopt;
  return box;
}

std::size_t offset_of(const Shape& shape, int z, int y, int x) {
  return (static_cast<std::size_t>(z) * static_cast<std::size_t>(shape.y) +
          static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(shape.x) +
         static_cast<std::size_t>(x);
}

/// Copies a block of voxels from one array into another.
template <class Voxel>
void copy_block(const Voxel* source,
                const Shape& source_shape,
                const Extents& source_begin,
                Voxel* target,
                const Shape& target_shape,
                const Extents& target_begin,
                const Extents& size) {
  for (int z = 0; z < size[2]; ++z)
    for (int y = 0; y < size[1]; ++y)
      std::copy_n(
          source + offset_of(
                       source_shape, source_begin[2] + z, source_begin[1] + y, source_begin[0]),
          size[0],
          target +
              offset_of(
                  target_shape, target_begin[2] + z, target_begin[1] + y, target_begin[0]));
}

/// The same voxels on a grid whose first voxel is the old index `first`.
template <class Any>
Any on_grid(const Any& old, std::size_t channels, const Extents& first, const Shape& shape) {
  Any result;
  if constexpr (requires { result.channels; })
    result.channels = old.channels;
  result.shape = shape;
  result.geometry = old.geometry;
  result.geometry.origin = position(old.geometry,
                                    {static_cast<double>(first[0]),
                                     static_cast<double>(first[1]),
                                     static_cast<double>(first[2])});
  result.voxels.resize(channels * shape.voxels());
  Extents from{};
  Extents to{};
  Extents size{};
  for (std::size_t a = 0; a < 3; ++a) {
    from[a] = std::max(0, first[a]);
    to[a] = from[a] - first[a];
    size[a] = std::min(extents(old.shape)[a] - from[a], extents(shape)[a] - to[a]);
  }
  for (std::size_t c = 0; c < channels; ++c)
    copy_block(old.voxels.data() + c * old.shape.voxels(),
               old.shape,
               from,
               result.voxels.data() + c * shape.voxels(),
               shape,
               to,
               size);
  return result;
}

template <class Any>
Any padded(const Any& old, std::size_t channels, const Extents& wanted) {
  Extents size = extents(old.shape);
  Extents first{};
  for (std::size_t a = 0; a < 3; ++a) {
    first[a] = -pad_before(size[a], wanted[a]);
    size[a] = std::max(size[a], wanted[a]);
  }
  return on_grid(old, channels, first, shape_of(size));
}

}  // namespace

std::optional<Box> foreground_box(const VolumeView& image) {
  const std::size_t voxels = image.shape.voxels();
  return tight_box(image.shape, [&](std::size_t offset) {
    for (std::size_t at = offset; at < image.voxels.size(); at += voxels)
      if (image.voxels[at] > 0)
        return true;
    return false;
  });
}

std::optional<Box> label_box(const LabelView& label) {
  return tight_box(label.shape, [&](std::size_t offset) { return label.voxels[offset] > 0; });
}

Volume crop(const Volume& image, const Box& box) {
  return on_grid(
      image, static_cast<std::size_t>(image.channels), box.begin, shape_of(box.size()));
}

LabelVolume crop(const LabelVolume& label, const Box& box) {
  return on_grid(label, 1, box.begin, shape_of(box.size()));
}

int pad_before(int extent, int wanted) {
  return std::max(0, wanted - extent) / 2;
}

Volume spatial_pad(const Volume& image, const Extents& wanted) {
  return padded(image, static_cast<std::size_t>(image.channels), wanted);
}

LabelVolume spatial_pad(const LabelVolume& label, const Extents& wanted) {
  return padded(label, 1, wanted);
}

}  // namespace proxytune::imaging
