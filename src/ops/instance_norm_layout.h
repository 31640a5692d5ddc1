#pragma once

#include <torch/torch.h>

#include "ops/instance_norm_kernel.h"

namespace proxytune::ops {

/// Samples as the kernels see them, for a dense tensor of either layout.
struct Layout {
  c10::MemoryFormat format;
  std::int64_t samples;
  Planes planes;
};
Layout layout_of(const torch::Tensor& tensor);

/// The tensor itself where it is dense in this layout, or a copy.
torch::Tensor dense(const torch::Tensor& tensor, c10::MemoryFormat format);

/// Throws c10::Error, naming what does not fit.
void check_operands(const torch::Tensor& input, const torch::Tensor& slope);

}  // namespace proxytune::ops
