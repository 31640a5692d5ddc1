#include <algorithm>
#include <cmath>

#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

namespace {

void normalize_channel(std::span<float> voxels) {
  double sum = 0;
  std::size_t count = 0;
  for (const float value : voxels) {
    sum += value;
    count += value != 0 ? 1 : 0;
  }
  if (count == 0)
    return;
  const double mean = sum / static_cast<double>(count);
  double squares = 0;
  for (const float value : voxels)
    if (value != 0)
      squares += (value - mean) * (value - mean);
  // Applied in single precision, as MONAI does.
  const auto subtract = static_cast<float>(mean);
  auto divide = static_cast<float>(std::sqrt(squares / static_cast<double>(count)));
  if (divide == 0)
    divide = 1;
  for (float& value : voxels)
    if (value != 0)
      value = (value - subtract) / divide;
}

}  // namespace

Volume scale_intensity_range(Volume image, double low, double high) {
  const auto subtract = static_cast<float>(low);
  const auto divide = static_cast<float>(high - low);
  for (float& value : image.voxels)
    value = std::clamp((value - subtract) / divide, 0.0F, 1.0F);
  return image;
}

Volume normalize_nonzero(Volume image) {
  for (int c = 0; c < image.channels; ++c)
    normalize_channel(image.channel(c));
  return image;
}

}  // namespace proxytune::imaging
