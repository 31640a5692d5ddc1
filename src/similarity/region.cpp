#include "proxytune/similarity/region.h"

#include <algorithm>
#include <array>

#include "proxytune/core/error.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::similarity {
namespace {

struct Box {
  std::array<int, 3> low{}, size{};  // z, y, x
};

Box bounding_box(const Subject& subject) {
  const imaging::Shape& shape = subject.label.shape;
  std::array<int, 3> low{shape.z, shape.y, shape.x};
  std::array<int, 3> high{-1, -1, -1};
  std::size_t voxel = 0;
  for (int z = 0; z < shape.z; ++z)
    for (int y = 0; y < shape.y; ++y)
      for (int x = 0; x < shape.x; ++x)
        if (subject.label.voxels[voxel++] != 0) {
          const std::array<int, 3> place{z, y, x};
          for (std::size_t axis = 0; axis < 3; ++axis) {
            low[axis] = std::min(low[axis], place[axis]);
            high[axis] = std::max(high[axis], place[axis]);
          }
        }
  if (high[0] < 0)
    throw core::DataError(
        "the label of " + subject.name +
        " has no foreground, so there is nothing to crop to. Leave the case out, "
        "correct its label, or compare without the label crop.");
  return {low, {high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1}};
}

std::vector<float> cropped(std::span<const float> values,
                           const imaging::Shape& shape,
                           const Box& box) {
  std::vector<float> result;
  for (int z = box.low[0]; z < box.low[0] + box.size[0]; ++z)
    for (int y = box.low[1]; y < box.low[1] + box.size[1]; ++y) {
      const auto row = static_cast<std::ptrdiff_t>(
          (static_cast<std::size_t>(z) * static_cast<std::size_t>(shape.y) +
           static_cast<std::size_t>(y)) *
              static_cast<std::size_t>(shape.x) +
          static_cast<std::size_t>(box.low[2]));
      result.insert(result.end(), values.begin() + row, values.begin() + row + box.size[2]);
    }
  return result;
}

}  // namespace

imaging::Volume label_cube(const Subject& subject, int edge) {
  if (!(subject.image.shape == subject.label.shape))
    throw core::DataError("the label of " + subject.name +
                          " has another shape than its image, so it cannot be cropped to it.");
  const Box box = bounding_box(subject);
  const imaging::Shape crop{box.size[0], box.size[1], box.size[2]};
  imaging::Volume volume;
  volume.channels = subject.image.channels;
  volume.shape = {edge, edge, edge};
  for (int c = 0; c < subject.image.channels; ++c) {
    const auto part = cropped(subject.image.channel(c), subject.image.shape, box);
    const auto cube = imaging::resize_trilinear(part, crop, volume.shape);
    volume.voxels.insert(volume.voxels.end(), cube.begin(), cube.end());
  }
  return volume;
}

}  // namespace proxytune::similarity
