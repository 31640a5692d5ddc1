#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "proxytune/imaging/grid.h"
#include "proxytune/imaging/volume.h"

// MONAI 1.6.1's transforms of the same names; triples are in the order x, y, z. Where a
// transform moves or resamples voxels, the geometry moves with them.
namespace proxytune::imaging {

/// Along one axis of the new grid: which old axis it was, and whether it runs the other way.
struct AxisMove {
  int from = 0;
  bool flip = false;
};

/// How to turn a grid so that its axes run as `codes` says, e.g. "RAS": x to the Right, y to
/// Anterior, z to Superior. Oblique axes count as the closest anatomical one (nibabel's rule).
std::array<AxisMove, 3> axis_moves(const Geometry& geometry, const std::string& codes);
/// True for three letters, one each of R/L, A/P, S/I.
bool is_orientation(const std::string& codes);
Volume orient(const Volume& image, const std::string& codes);
LabelVolume orient(const LabelVolume& label, const std::string& codes);

/// Extent and spacing of one axis after resampling to `wanted` mm. The axis is kept where
/// wanted <= 0 or |spacing - wanted| <= 1e-3 mm; else
/// round_half_even((extent-1)*spacing/wanted+1), 2^31 - 1 at most.
struct AxisSpacing {
  int extent = 0;
  double spacing = 0;
};
AxisSpacing resampled_axis(int extent, double spacing, double wanted);
/// Spacing: images trilinear (in double), labels nearest, values of the border beyond it. The
/// first voxel's centre stays where it is. The spacing is along the *stored* axes.
Volume resample_spacing(const Volume& image, const std::array<double, 3>& spacing);
LabelVolume resample_spacing(const LabelVolume& label, const std::array<double, 3>& spacing);

/// ScaleIntensityRange: [low, high] to [0, 1], clipped.
Volume scale_intensity_range(Volume image, double low, double high);
/// NormalizeIntensity(nonzero, channel_wise): (v - mean) / std over each channel's voxels != 0
/// (population std, 0 counting as 1); zeros stay.
Volume normalize_nonzero(Volume image);

/// CropForeground's box: voxels > 0 in any channel. Nothing if there is none.
std::optional<Box> foreground_box(const VolumeView& image);
/// The tight box of label > 0. Nothing if there is none.
std::optional<Box> label_box(const LabelView& label);
Volume crop(const Volume& image, const Box& box);
LabelVolume crop(const LabelVolume& label, const Box& box);

/// Voxels that SpatialPad puts before the first along one axis.
int pad_before(int extent, int wanted);
/// SpatialPad: zeros on both sides up to these extents, the odd one at the end; never crops.
Volume spatial_pad(const Volume& image, const Extents& wanted);
LabelVolume spatial_pad(const LabelVolume& label, const Extents& wanted);

/// torch.nn.functional.interpolate(mode="trilinear", align_corners=False) to another shape.
Volume resize_trilinear(const VolumeView& image, const Shape& shape);
/// The same of the part inside the box: what is outside has no influence.
Volume resize_trilinear(const VolumeView& image, const Box& box, const Shape& shape);

}  // namespace proxytune::imaging
