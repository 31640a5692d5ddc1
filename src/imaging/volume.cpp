#include "proxytune/imaging/volume.h"

namespace proxytune::imaging {

std::span<float> Volume::channel(int c) {
  return std::span<float>(voxels).subspan(static_cast<std::size_t>(c) * shape.voxels(),
                                          shape.voxels());
}

std::span<const float> Volume::channel(int c) const {
  return view(*this).channel(c);
}

VolumeView view(const Volume& volume) {
  return {volume.channels, volume.shape, std::span<const float>(volume.voxels)};
}

LabelView view(const LabelVolume& label) {
  return {label.shape, std::span<const std::uint8_t>(label.voxels)};
}

}  // namespace proxytune::imaging
