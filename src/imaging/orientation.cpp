#include <cmath>

#include "imaging/sampling.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

namespace {

/// An anatomical direction as an axis of LPS space and a sign along it.
struct Anatomical {
  int world = -1;
  int sign = 1;
};

Anatomical anatomical(char code) {
  switch (code) {
    case 'L':
      return {0, 1};
    case 'R':
      return {0, -1};
    case 'P':
      return {1, 1};
    case 'A':
      return {1, -1};
    case 'S':
      return {2, 1};
    case 'I':
      return {2, -1};
    default:
      return {};
  }
}

/// nibabel's io_orientation: each stored axis in turn takes the closest world axis still free.
std::array<Anatomical, 3> closest_axes(const Geometry& geometry) {
  std::array<Anatomical, 3> closest;
  std::array<bool, 3> taken{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double best = 0;
    for (std::size_t world = 0; world < 3; ++world) {
      const double cosine = geometry.direction[world][axis];
      if (taken[world] || std::abs(cosine) <= best)
        continue;
      best = std::abs(cosine);
      closest[axis] = {static_cast<int>(world), cosine > 0 ? 1 : -1};
    }
    if (best < 1e-6)
      throw core::DataError(
          "an image's axes do not span the space (its direction matrix is singular), so it "
          "cannot be oriented; repair its header");
    taken[static_cast<std::size_t>(closest[axis].world)] = true;
  }
  return closest;
}

Geometry moved_geometry(const Geometry& old,
                        const Shape& old_shape,
                        const std::array<AxisMove, 3>& moves) {
  Geometry geometry = old;
  std::array<double, 3> first{};  // the old index of the new first voxel
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto from = static_cast<std::size_t>(moves[axis].from);
    geometry.spacing[axis] = old.spacing[from];
    for (std::size_t row = 0; row < 3; ++row)
      geometry.direction[row][axis] =
          moves[axis].flip ? -old.direction[row][from] : old.direction[row][from];
    first[from] = moves[axis].flip ? extents(old_shape)[from] - 1 : 0;
  }
  geometry.origin = position(old, first);
  return geometry;
}

template <class Any>
Any moved(const Any& old, std::size_t channels, const std::array<AxisMove, 3>& moves) {
  std::array<NearestAxis, 3> axes;
  std::array<std::ptrdiff_t, 3> stride{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto from = static_cast<std::size_t>(moves[axis].from);
    const int extent = extents(old.shape)[from];
    stride[axis] = strides(old.shape)[from];
    for (int i = 0; i < extent; ++i)
      axes[axis].push_back(moves[axis].flip ? extent - 1 - i : i);
  }
  Any result = old;
  result.geometry = moved_geometry(old.geometry, old.shape, moves);
  result.shape = shape_of(axes);
  const std::size_t voxels = old.shape.voxels();
  for (std::size_t c = 0; c < channels; ++c)
    pick(old.voxels.data() + c * voxels, axes, stride, result.voxels.data() + c * voxels);
  return result;
}

}  // namespace

bool is_orientation(const std::string& codes) {
  std::array<bool, 3> seen{};
  for (const char code : codes) {
    const Anatomical direction = anatomical(code);
    if (direction.world < 0 || seen[static_cast<std::size_t>(direction.world)])
      return false;
    seen[static_cast<std::size_t>(direction.world)] = true;
  }
  return codes.size() == 3;
}

std::array<AxisMove, 3> axis_moves(const Geometry& geometry, const std::string& codes) {
  if (!is_orientation(codes))
    throw core::ConfigurationError("the orientation \"" + codes +
                                   "\" is not three letters, one each of R/L, A/P and S/I");
  const auto closest = closest_axes(geometry);
  std::array<AxisMove, 3> moves;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Anatomical wanted = anatomical(codes[axis]);
    for (std::size_t from = 0; from < 3; ++from)
      if (closest[from].world == wanted.world)
        moves[axis] = {static_cast<int>(from), closest[from].sign != wanted.sign};
  }
  return moves;
}

Volume orient(const Volume& image, const std::string& codes) {
  return moved(
      image, static_cast<std::size_t>(image.channels), axis_moves(image.geometry, codes));
}

LabelVolume orient(const LabelVolume& label, const std::string& codes) {
  return moved(label, 1, axis_moves(label.geometry, codes));
}

}  // namespace proxytune::imaging
