#include <algorithm>

#include "imaging/sampling.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

std::vector<float> resize_trilinear(std::span<const float> voxels,
                                    const Shape& from,
                                    const Shape& to) {
  std::array<LinearAxis, 3> axes;
  for (std::size_t a = 0; a < 3; ++a) {
    const int inputs = extents(from)[a];
    const int outputs = extents(to)[a];
    const double ratio = static_cast<double>(inputs) / outputs;
    for (int i = 0; i < outputs; ++i)
      axes[a].push_back(linear_tap((i + 0.5) * ratio - 0.5, inputs));
  }
  return sample_linear(voxels, from, axes);
}

Volume resize_trilinear(const VolumeView& image, const Shape& shape) {
  Volume result{image.channels, shape, {}, {}};
  for (int c = 0; c < image.channels; ++c) {
    const auto resized = resize_trilinear(image.channel(c), image.shape, shape);
    result.voxels.insert(result.voxels.end(), resized.begin(), resized.end());
  }
  return result;
}

}  // namespace proxytune::imaging
