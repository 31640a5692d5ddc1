#include "ops/instance_norm_prelu_cuda.h"

#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include "ops/instance_norm_cuda.h"
#include "ops/instance_norm_layout.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

void check_device(const Tensor& input, const Tensor& slope) {
  TORCH_CHECK(input.scalar_type() == torch::kFloat32,
              "instance_norm_prelu takes float32 on a GPU");
  TORCH_CHECK(slope.device() == input.device(), "slope and input are on different devices");
}

Tensor workspace_for(const Layout& layout, const Tensor& like) {
  return torch::empty({cuda::workspace_size(layout.samples, layout.planes)}, like.options());
}

void* stream_of(const Tensor& tensor) {
  return c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream();
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> instance_norm_prelu_on_gpu(
    const Tensor& any_input,
    const Tensor& slope,
    const std::optional<Tensor>& any_residual,
    double epsilon) {
  check_operands(any_input, slope);
  check_device(any_input, slope);
  const c10::OptionalDeviceGuard guard(any_input.device());
  const Tensor input = dense(any_input, any_input.suggest_memory_format());
  const Layout layout = layout_of(input);
  const Tensor residual = any_residual ? dense(*any_residual, layout.format) : Tensor();
  TORCH_CHECK(!residual.defined() || residual.sizes() == input.sizes(),
              "residual and input differ in shape");
  Tensor output = torch::empty_like(input, layout.format);
  Tensor mean = torch::empty({layout.samples, layout.planes.channels}, input.options());
  Tensor scale = torch::empty_like(mean);
  const Tensor workspace = workspace_for(layout, input);
  const int status = cuda::instance_norm_prelu_forward(
      layout.samples,
      layout.planes,
      input.const_data_ptr<float>(),
      residual.defined() ? residual.const_data_ptr<float>() : nullptr,
      slope.const_data_ptr<float>(),
      epsilon,
      output.mutable_data_ptr<float>(),
      mean.mutable_data_ptr<float>(),
      scale.mutable_data_ptr<float>(),
      workspace.mutable_data_ptr<float>(),
      stream_of(input));
  C10_CUDA_CHECK(static_cast<cudaError_t>(status));
  return {output, mean, scale};
}

std::tuple<Tensor, Tensor> instance_norm_prelu_backward_on_gpu(const Tensor& any_gradient,
                                                               const Tensor& input,
                                                               const Tensor& mean,
                                                               const Tensor& scale,
                                                               const Tensor& slope) {
  const c10::OptionalDeviceGuard guard(input.device());
  const Layout layout = layout_of(input);
  const Tensor gradient = dense(any_gradient, layout.format);
  Tensor input_gradient = torch::empty_like(input, layout.format);
  Tensor slope_gradient = torch::empty_like(slope);
  const Tensor workspace = workspace_for(layout, input);
  const int status =
      cuda::instance_norm_prelu_backward(layout.samples,
                                         layout.planes,
                                         gradient.const_data_ptr<float>(),
                                         input.const_data_ptr<float>(),
                                         mean.const_data_ptr<float>(),
                                         scale.const_data_ptr<float>(),
                                         slope.const_data_ptr<float>(),
                                         input_gradient.mutable_data_ptr<float>(),
                                         slope_gradient.mutable_data_ptr<float>(),
                                         workspace.mutable_data_ptr<float>(),
                                         stream_of(input));
  C10_CUDA_CHECK(static_cast<cudaError_t>(status));
  return {input_gradient, slope_gradient};
}

}  // namespace proxytune::ops
