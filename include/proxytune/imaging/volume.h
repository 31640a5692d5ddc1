#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace proxytune::imaging {

/// Where voxels lie in the patient, in ITK's and DICOM's LPS millimetres. Index order here is
/// (x, y, z), as in an image file; arrays of voxels are (channel, z, y, x) in C order.
struct Geometry {
  std::array<double, 3> spacing{1, 1, 1};  // mm along the stored x, y, z axes
  std::array<double, 3> origin{0, 0, 0};   // of the first voxel's centre, mm
  /// Column a is the direction of stored axis a: direction[row][a].
  std::array<std::array<double, 3>, 3> direction{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  bool operator==(const Geometry&) const = default;
};

/// Extents of a volume, slowest axis first.
struct Shape {
  int z = 0, y = 0, x = 0;
  std::size_t voxels() const {
    return static_cast<std::size_t>(z) * static_cast<std::size_t>(y) *
           static_cast<std::size_t>(x);
  }
  bool operator==(const Shape&) const = default;
};

/// An image: `channels` x z x y x x single-precision values.
struct Volume {
  int channels = 1;
  Shape shape;
  Geometry geometry;
  std::vector<float> voxels;

  std::span<float> channel(int c);
  std::span<const float> channel(int c) const;
};

/// Classes of the voxels, 0 = background.
struct LabelVolume {
  Shape shape;
  Geometry geometry;
  std::vector<std::uint8_t> voxels;
};

/// The same without ownership, e.g. into the mapped volume cache.
struct VolumeView {
  int channels = 1;
  Shape shape;
  std::span<const float> voxels;
  std::span<const float> channel(int c) const {
    return voxels.subspan(static_cast<std::size_t>(c) * shape.voxels(), shape.voxels());
  }
};
struct LabelView {
  Shape shape;
  std::span<const std::uint8_t> voxels;
};

VolumeView view(const Volume& volume);
LabelView view(const LabelVolume& label);

}  // namespace proxytune::imaging
