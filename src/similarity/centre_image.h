#pragma once

#include <span>

#include "centred_image.h"
#include "pair_kernels.h"

namespace proxytune::similarity {

/// Prepares a channel on the processor. In one pass over the planes, so that what a plane takes
/// stays in the caches.
CentredImage::Channel centred(std::span<const float> values,
                              const imaging::Shape& shape,
                              const WindowLayout& layout,
                              const PairKernels& kernels);

}  // namespace proxytune::similarity
