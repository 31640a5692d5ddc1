#include <algorithm>
#include <cmath>
#include <limits>

#include "imaging/sampling.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

namespace {

constexpr double kept_within = 1e-3;  // mm
constexpr double most_voxels = std::numeric_limits<int>::max();

/// The voxel that MONAI's nearest mode takes for each of `outputs` positions. Between two
/// voxels round-off decides, so this repeats PyTorch's own arithmetic: the affine map in
/// normalised coordinates, linspace's fused multiply-add, affine_grid's base, grid_sample's
/// unnormalisation. Compared with MONAI on 3,387 random axes without a difference.
NearestAxis nearest_axis(int inputs, int outputs, double ratio) {
  const double w = inputs;
  const double n = outputs;
  const double shift = 1 / n - 1;
  const double scale = 2 / n;
  const double theta0 = 2 / w * ratio * (1 / scale);
  const double theta1 = 2 / w * ratio * (-shift / scale) + (1 / w - 1);
  const double step = outputs > 1 ? 2 / (n - 1) : 0;
  NearestAxis axis;
  for (int i = 0; i < outputs; ++i) {
    double base =
        i < outputs / 2 ? std::fma(step, i, -1.0) : std::fma(-step, outputs - 1 - i, 1.0);
    base = outputs > 1 ? base * (n - 1) / n : 0;
    const double x = base * theta0 + theta1;
    axis.push_back(
        static_cast<int>(std::nearbyint(std::clamp(((x + 1) * w - 1) / 2, 0.0, w - 1))));
  }
  return axis;
}

LinearAxis linear_axis(int inputs, int outputs, double ratio) {
  LinearAxis axis;
  for (int i = 0; i < outputs; ++i)
    axis.push_back(linear_tap(i * ratio, inputs));
  return axis;
}

struct Resampling {
  Shape shape;
  Geometry geometry;
  std::array<double, 3> ratio{};  // new spacing over old
  bool identity = true;
};

Resampling plan(const Shape& shape,
                const Geometry& geometry,
                const std::array<double, 3>& wanted) {
  Resampling result{shape, geometry, {1, 1, 1}, true};
  Extents size = extents(shape);
  for (std::size_t a = 0; a < 3; ++a) {
    const AxisSpacing axis = resampled_axis(size[a], geometry.spacing[a], wanted[a]);
    if (axis.spacing == geometry.spacing[a])
      continue;
    result.identity = false;
    result.ratio[a] = axis.spacing / geometry.spacing[a];
    result.geometry.spacing[a] = axis.spacing;
    size[a] = axis.extent;
  }
  result.shape = shape_of(size);
  return result;
}

}  // namespace

AxisSpacing resampled_axis(int extent, double spacing, double wanted) {
  if (wanted <= 0 || std::abs(spacing - wanted) <= kept_within)
    return {extent, spacing};
  const double length = std::nearbyint((extent - 1) * spacing / wanted + 1);
  return {static_cast<int>(std::clamp(length, 1.0, most_voxels)), wanted};
}

Volume resample_spacing(const Volume& image, const std::array<double, 3>& spacing) {
  const Resampling how = plan(image.shape, image.geometry, spacing);
  if (how.identity)
    return image;
  std::array<LinearAxis, 3> axes;
  for (std::size_t a = 0; a < 3; ++a)
    axes[a] = linear_axis(extents(image.shape)[a], extents(how.shape)[a], how.ratio[a]);
  Volume result{image.channels, how.shape, how.geometry, {}};
  result.voxels.resize(static_cast<std::size_t>(image.channels) * how.shape.voxels());
  for (int c = 0; c < image.channels; ++c)
    sample_linear(image.channel(c), image.shape, axes, result.channel(c));
  return result;
}

LabelVolume resample_spacing(const LabelVolume& label, const std::array<double, 3>& spacing) {
  const Resampling how = plan(label.shape, label.geometry, spacing);
  if (how.identity)
    return label;
  std::array<NearestAxis, 3> axes;
  for (std::size_t a = 0; a < 3; ++a)
    axes[a] = nearest_axis(extents(label.shape)[a], extents(how.shape)[a], how.ratio[a]);
  LabelVolume result{how.shape, how.geometry, {}};
  result.voxels.resize(how.shape.voxels());
  pick(label.voxels.data(), axes, strides(label.shape), result.voxels.data());
  return result;
}

}  // namespace proxytune::imaging
