#pragma once

#include <array>
#include <span>
#include <string>

#include "proxytune/core/names.h"
#include "proxytune/imaging/grid.h"
#include "proxytune/imaging/volume.h"

namespace proxytune::imaging {

enum class Intensity { none, window, nonzero_zscore };
inline constexpr core::Name<Intensity> names_of_intensity[] = {
    {Intensity::none, "none"},
    {Intensity::window, "window"},
    {Intensity::nonzero_zscore, "nonzero_zscore"}};
constexpr std::span<const core::Name<Intensity>> names(Intensity) {
  return names_of_intensity;
}

enum class AxisOrder { orient_first, spacing_first };
inline constexpr core::Name<AxisOrder> names_of_axis_order[] = {
    {AxisOrder::orient_first, "orient_first"}, {AxisOrder::spacing_first, "spacing_first"}};
constexpr std::span<const core::Name<AxisOrder>> names(AxisOrder) {
  return names_of_axis_order;
}

/// From a file's voxels to what networks see. Triples are in the order x, y, z.
struct PreprocessOptions {
  std::string orientation = "RAS";
  std::array<double, 3> spacing{0, 0, 0};  // mm; 0 keeps the file's
  AxisOrder axis_order = AxisOrder::orient_first;
  Intensity intensity = Intensity::nonzero_zscore;
  double window_low = -57;  // the paper's CT window, HU
  double window_high = 164;
  bool crop_foreground = false;
  std::array<int, 3> pad_to{0, 0, 0};  // voxels; 0 pads nothing
  double geometry_tolerance = 1e-3;    // between image and label, mm
};

template <class Fields>
void describe(Fields& fields, PreprocessOptions& options) {
  fields("orientation",
         options.orientation,
         "where the axes x, y, z shall point: one each of R/L, A/P, S/I");
  fields("spacing", options.spacing, "voxel size along x, y, z, in mm; 0 keeps the file's");
  fields("axis_order",
         options.axis_order,
         "which is done first: MONAI's Orientation, or its Spacing as in the paper's tutorial "
         "(spacing is then along the axes as stored)");
  fields("intensity",
         options.intensity,
         "window: window_low..window_high to 0..1, clipped; nonzero_zscore: zero mean and unit "
         "deviation of each channel's non-zero voxels");
  fields("window_low",
         options.window_low,
         "value that becomes 0, in the image's unit (HU for CT)");
  fields("window_high",
         options.window_high,
         "value that becomes 1, in the image's unit (HU for CT)");
  fields("crop_foreground",
         options.crop_foreground,
         "crop to the box of voxels > 0, judged after a window and before a z-score");
  fields("pad_to",
         options.pad_to,
         "least extents along x, y, z, in voxels; zeros are added on both sides");
  fields(
      "geometry_tolerance",
      options.geometry_tolerance,
      "largest difference between the grids of image and label, in mm and direction cosines");
}

/// Throws core::FieldError.
void validate(const PreprocessOptions& options);

/// The result depends on nothing but this text, the voxels and the geometry: part of cache
/// keys.
std::string identity(const PreprocessOptions& options);

struct PreparedVolume {
  Volume image;
  LabelVolume label;
};
/// Orientation, Spacing, intensity, foreground crop, padding. The label holds classes. Throws
/// core::DataError where the grids differ or no foreground is left to crop to, core::FieldError
/// where a field makes more voxels of the volume than there is room for.
PreparedVolume preprocess(Volume image, LabelVolume label, const PreprocessOptions& options);

/// Whether any voxel has a class but background; a label may lose its foreground in resampling.
bool has_foreground(const LabelView& label);

/// Where one axis of a prepared grid came from.
struct AxisTrace {
  int from = 0;      // axis of the file
  double scale = 1;  // index before crop and pad = scale * index in the file + offset
  double offset = 0;
  int extent = 0;  // before crop and pad
  int shift = 0;   // prepared index = index before crop and pad + shift
};

/// An image prepared without a label, and the way back.
struct PreparedImage {
  Volume image;
  Shape original_shape;
  Geometry original_geometry;
  std::array<AxisTrace, 3> trace;
};
/// As `preprocess`.
PreparedImage preprocess_image(Volume image, const PreprocessOptions& options);

/// Classes predicted on the prepared grid, on the file's own grid: nearest voxel, background
/// where the image had been cropped away.
LabelVolume restore_labels(const LabelVolume& predicted, const PreparedImage& how);

}  // namespace proxytune::imaging
