#include "proxytune/network/flat_parameters.h"

namespace proxytune::network {

torch::Tensor view(const torch::Tensor& flat, const Segment& segment) {
  const c10::IntArrayRef shape(segment.shape);
  if (segment.shape.size() != 5)
    return flat.narrow(0, segment.offset, segment.length).view(shape);
  return flat.as_strided(shape, c10::get_channels_last_strides_3d(shape), segment.offset);
}

}  // namespace proxytune::network
