#include "imaging/sampling.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

Volume resize_trilinear(const VolumeView& image, const Box& box, const Shape& shape) {
  const Extents inputs = box.size();
  const Extents outputs = extents(shape);
  std::array<LinearAxis, 3> axes;
  for (std::size_t a = 0; a < 3; ++a) {
    const double ratio = static_cast<double>(inputs[a]) / outputs[a];
    for (int i = 0; i < outputs[a]; ++i) {
      LinearTap tap = linear_tap((i + 0.5) * ratio - 0.5, inputs[a]);
      tap.lower += box.begin[a];
      tap.upper += box.begin[a];
      axes[a].push_back(tap);
    }
  }
  Volume result{image.channels, shape, {}, {}};
  result.voxels.resize(static_cast<std::size_t>(image.channels) * shape.voxels());
  for (int c = 0; c < image.channels; ++c)
    sample_linear(image.channel(c), image.shape, axes, result.channel(c));
  return result;
}

Volume resize_trilinear(const VolumeView& image, const Shape& shape) {
  return resize_trilinear(image, {{0, 0, 0}, extents(image.shape)}, shape);
}

}  // namespace proxytune::imaging
