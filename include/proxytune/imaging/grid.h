#pragma once

#include <array>
#include <optional>
#include <string>

#include "proxytune/imaging/volume.h"

namespace proxytune::imaging {

/// Extents along x, y, z, the order of Geometry, options and image files.
using Extents = std::array<int, 3>;
Extents extents(const Shape& shape);
Shape shape_of(const Extents& extents);

/// "35 x 50 x 36", along x, y, z.
std::string to_text(const Shape& shape);

/// Voxels of a grid with begin <= index < end along x, y, z.
struct Box {
  Extents begin{};
  Extents end{};
  Extents size() const;
  bool operator==(const Box&) const = default;
};

/// What differs between two grids, as the end of a sentence ("the spacing differs by 0.5 mm
/// along x, more than the tolerance 0.001"); nothing if they agree. The tolerance is in mm for
/// spacing and origin, absolute for direction cosines; shapes must be equal.
std::optional<std::string> grid_difference(const Shape& first_shape,
                                           const Geometry& first,
                                           const Shape& second_shape,
                                           const Geometry& second,
                                           double tolerance);

bool same_grid(const Volume& image, const LabelVolume& label, double tolerance);

/// Position in LPS millimetres of a (fractional) index (x, y, z).
std::array<double, 3> position(const Geometry& geometry, const std::array<double, 3>& index);

}  // namespace proxytune::imaging
