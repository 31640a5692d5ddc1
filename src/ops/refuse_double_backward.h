#pragma once

#include <torch/torch.h>

namespace proxytune::ops {

/// For the backward pass of an operation whose gradients have no gradients: LibTorch would take
/// them for constants, and whatever is derived from them would silently be wrong.
inline void refuse_double_backward(const char* operation) {
  TORCH_CHECK(!at::GradMode::is_enabled(),
              operation,
              " can be differentiated once only: call backward() without create_graph");
}

}  // namespace proxytune::ops
