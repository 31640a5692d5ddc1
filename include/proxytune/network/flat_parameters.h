#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/torch.h>

namespace proxytune::network {

/// Where one parameter lies in the flat buffers.
struct Segment {
  std::string name;  // MONAI's
  std::int64_t offset = 0;
  std::int64_t length = 0;
  std::vector<std::int64_t> shape;
};

/// All parameters of a network in one contiguous buffer and all their gradients in a second,
/// both without gaps, in MONAI's order of parameters. The network's tensors are views into
/// `values`, their gradients views into `gradients`, and backward adds into those in place: set
/// gradients to zero before each backward pass (gradients.zero_()), and never replace either
/// tensor. Convolution weights lie channels-last inside their segment, (first, z, y, x,
/// second), which is the order the convolutions want; state_dict tensors made contiguous have
/// the usual order.
struct FlatParameters {
  torch::Tensor values;
  torch::Tensor gradients;
  std::vector<Segment> segments;
};

/// The segment of either buffer in its shape, sharing memory; five-dimensional ones
/// channels-last.
torch::Tensor view(const torch::Tensor& flat, const Segment& segment);

}  // namespace proxytune::network
