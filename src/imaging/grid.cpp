#include "proxytune/imaging/grid.h"

#include <cmath>
#include <sstream>

namespace proxytune::imaging {

namespace {

constexpr const char* axis_names[] = {"x", "y", "z"};

std::optional<std::string> difference(const std::string& what,
                                      const std::array<double, 3>& first,
                                      const std::array<double, 3>& second,
                                      const std::string& unit,
                                      double tolerance) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double gap = std::abs(first[axis] - second[axis]);
    if (gap <= tolerance)
      continue;
    std::ostringstream text;
    text << "the " << what << " differs by " << gap << unit << " along " << axis_names[axis]
         << " (" << first[axis] << " and " << second[axis] << "), more than the tolerance "
         << tolerance;
    return text.str();
  }
  return std::nullopt;
}

}  // namespace

Extents extents(const Shape& shape) {
  return {shape.x, shape.y, shape.z};
}

Shape shape_of(const Extents& extents) {
  return {.z = extents[2], .y = extents[1], .x = extents[0]};
}

std::string to_text(const Shape& shape) {
  return std::to_string(shape.x) + " x " + std::to_string(shape.y) + " x " +
         std::to_string(shape.z);
}

Extents Box::size() const {
  return {end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]};
}

std::optional<std::string> grid_difference(const Shape& first_shape,
                                           const Geometry& first,
                                           const Shape& second_shape,
                                           const Geometry& second,
                                           double tolerance) {
  if (!(first_shape == second_shape))
    return "the shapes differ (" + to_text(first_shape) + " and " + to_text(second_shape) + ")";
  auto found = difference("spacing", first.spacing, second.spacing, " mm", tolerance);
  if (!found)
    found = difference("origin", first.origin, second.origin, " mm", tolerance);
  for (std::size_t row = 0; row < 3 && !found; ++row)
    found = difference(std::string("direction cosine (row ") + axis_names[row] + ")",
                       first.direction[row],
                       second.direction[row],
                       "",
                       tolerance);
  return found;
}

bool same_grid(const Volume& image, const LabelVolume& label, double tolerance) {
  return !grid_difference(image.shape, image.geometry, label.shape, label.geometry, tolerance);
}

std::array<double, 3> position(const Geometry& geometry, const std::array<double, 3>& index) {
  std::array<double, 3> place = geometry.origin;
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 3; ++axis)
      place[row] += geometry.direction[row][axis] * geometry.spacing[axis] * index[axis];
  return place;
}

}  // namespace proxytune::imaging
