#include "proxytune/ops/instance_norm_prelu.h"

#include <tuple>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/bfloat16.h"
#include "ops/instance_norm_kernel.h"
#include "ops/instance_norm_layout.h"
#include "ops/refuse_double_backward.h"
#if defined(PROXYTUNE_CUDA)
#include "ops/instance_norm_prelu_cuda.h"
#endif

namespace proxytune::ops {
namespace {

using torch::Tensor;
using MaybeTensor = std::optional<Tensor>;

/// Calls with an element of the tensors' type.
template <class Call>
void dispatch(torch::ScalarType type, const Call& call) {
  if (type == torch::kBFloat16)
    return call(Bfloat16{});
  AT_DISPATCH_FLOATING_TYPES(type, "instance_norm_prelu", [&] { call(scalar_t{}); });
}

template <class Element>
const Element* elements(const Tensor& tensor) {
  return static_cast<const Element*>(tensor.const_data_ptr());
}
template <class Element>
Element* mutable_elements(const Tensor& tensor) {
  return static_cast<Element*>(tensor.mutable_data_ptr());
}

std::tuple<Tensor, Tensor, Tensor> forward_cpu(const Tensor& any_input,
                                               const Tensor& slope,
                                               const MaybeTensor& any_residual,
                                               double epsilon) {
  check_operands(any_input, slope);
  const Tensor input = dense(any_input, any_input.suggest_memory_format());
  const Layout layout = layout_of(input);
  const Tensor residual = any_residual ? dense(*any_residual, layout.format) : Tensor();
  TORCH_CHECK(!residual.defined() || residual.sizes() == input.sizes(),
              "residual and input differ in shape");
  TORCH_CHECK(!residual.defined() || residual.scalar_type() == input.scalar_type(),
              "residual and input differ in type");
  Tensor output = torch::empty_like(input, layout.format);
  const std::int64_t channels = layout.planes.channels;
  Tensor mean = torch::empty({layout.samples, channels}, slope.options());
  Tensor scale = torch::empty_like(mean);
  const std::int64_t size = layout.planes.voxels * channels;
  dispatch(input.scalar_type(), [&]<class Element>(Element) {
    using T = typename Computed<Element>::Type;
    const Element* added = residual.defined() ? elements<Element>(residual) : nullptr;
    for (std::int64_t n = 0; n < layout.samples; ++n)
      instance_norm_prelu_forward(layout.planes,
                                  elements<Element>(input) + n * size,
                                  added == nullptr ? nullptr : added + n * size,
                                  *slope.const_data_ptr<T>(),
                                  epsilon,
                                  mutable_elements<Element>(output) + n * size,
                                  mean.mutable_data_ptr<T>() + n * channels,
                                  scale.mutable_data_ptr<T>() + n * channels);
  });
  return {output, mean, scale};
}

std::tuple<Tensor, Tensor> backward_cpu(const Tensor& any_gradient,
                                        const Tensor& input,
                                        const Tensor& mean,
                                        const Tensor& scale,
                                        const Tensor& slope) {
  const Layout layout = layout_of(input);
  const Tensor gradient = dense(any_gradient.to(input.scalar_type()), layout.format);
  Tensor input_gradient = torch::empty_like(input, layout.format);
  const std::int64_t channels = layout.planes.channels;
  const std::int64_t size = layout.planes.voxels * channels;
  double slope_gradient = 0;
  dispatch(input.scalar_type(), [&]<class Element>(Element) {
    using T = typename Computed<Element>::Type;
    for (std::int64_t n = 0; n < layout.samples; ++n)
      slope_gradient +=
          instance_norm_prelu_backward(layout.planes,
                                       elements<Element>(gradient) + n * size,
                                       elements<Element>(input) + n * size,
                                       mean.const_data_ptr<T>() + n * channels,
                                       scale.const_data_ptr<T>() + n * channels,
                                       *slope.const_data_ptr<T>(),
                                       mutable_elements<Element>(input_gradient) + n * size);
  });
  return {input_gradient, torch::full_like(slope, slope_gradient)};
}

std::tuple<Tensor, Tensor, Tensor> call_forward(const Tensor& input,
                                                const Tensor& slope,
                                                const MaybeTensor& residual,
                                                double epsilon) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("proxytune::instance_norm_prelu", "")
          .typed<std::tuple<Tensor, Tensor, Tensor>(
              const Tensor&, const Tensor&, const MaybeTensor&, double)>();
  return operation.call(input, slope, residual, epsilon);
}

std::tuple<Tensor, Tensor> call_backward(const Tensor& gradient,
                                         const Tensor& input,
                                         const Tensor& mean,
                                         const Tensor& scale,
                                         const Tensor& slope) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("proxytune::instance_norm_prelu_backward", "")
          .typed<std::tuple<Tensor, Tensor>(
              const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&)>();
  return operation.call(gradient, input, mean, scale, slope);
}

class InstanceNormPrelu : public torch::autograd::Function<InstanceNormPrelu> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& any_input,
                                                const Tensor& slope,
                                                const MaybeTensor& residual,
                                                double epsilon) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Tensor input = dense(any_input, any_input.suggest_memory_format());
    auto [output, mean, scale] = call_forward(input, slope, residual, epsilon);
    context->saved_data["residual"] = residual.has_value();
    context->save_for_backward({input, slope, mean, scale});
    context->mark_non_differentiable({mean, scale});
    context->set_materialize_grads(false);
    return {output, mean, scale};
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("instance_norm_prelu");
    const auto saved = context->get_saved_variables();
    const auto [input, slope] =
        call_backward(gradients[0], saved[0], saved[2], saved[3], saved[1]);
    const bool has_residual = context->saved_data["residual"].toBool();
    return {input, slope, has_residual ? gradients[0] : Tensor(), Tensor()};
  }
};

std::tuple<Tensor, Tensor, Tensor> forward_autograd(const Tensor& input,
                                                    const Tensor& slope,
                                                    const MaybeTensor& residual,
                                                    double epsilon) {
  const auto outputs = InstanceNormPrelu::apply(input, slope, residual, epsilon);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace

Tensor instance_norm_prelu(const Tensor& input,
                           const Tensor& slope,
                           const MaybeTensor& residual,
                           double epsilon) {
  return std::get<0>(call_forward(input, slope, residual, epsilon));
}

Layout layout_of(const Tensor& tensor) {
  const std::int64_t batch = tensor.size(0);
  const std::int64_t channels = tensor.size(1);
  const std::int64_t voxels = tensor.size(2) * tensor.size(3) * tensor.size(4);
  // One channel or one voxel is dense in both layouts; its strides say which one its owner
  // means.
  if (tensor.suggest_memory_format() == c10::MemoryFormat::ChannelsLast3d &&
      tensor.is_contiguous(c10::MemoryFormat::ChannelsLast3d))
    return {c10::MemoryFormat::ChannelsLast3d, batch, {voxels, channels}};
  return {c10::MemoryFormat::Contiguous, batch * channels, {voxels, 1}};
}

Tensor dense(const Tensor& tensor, c10::MemoryFormat format) {
  return format == c10::MemoryFormat::ChannelsLast3d ? channels_last(tensor)
                                                     : tensor.contiguous();
}

void check_operands(const Tensor& input, const Tensor& slope) {
  TORCH_CHECK(input.dim() == 5, "instance_norm_prelu takes (batch, channels, z, y, x)");
  TORCH_CHECK(input.size(2) * input.size(3) * input.size(4) > 1,
              "instance norm needs more than one voxel a channel");
  TORCH_CHECK(slope.numel() == 1, "instance_norm_prelu takes one slope");
  const bool mixed =
      input.scalar_type() == torch::kBFloat16 && slope.scalar_type() == torch::kFloat32;
  TORCH_CHECK(mixed || slope.scalar_type() == input.scalar_type(),
              "slope and input differ in type");
  TORCH_CHECK(slope.scalar_type() != torch::kBFloat16,
              "instance_norm_prelu takes a float32 slope with a bfloat16 input");
}

Tensor channels_last(const Tensor& tensor) {
  if (!tensor.is_contiguous(c10::MemoryFormat::ChannelsLast3d))
    return tensor.contiguous(c10::MemoryFormat::ChannelsLast3d);
  const auto strides = c10::get_channels_last_strides_3d(tensor.sizes());
  return tensor.strides() == c10::IntArrayRef(strides)
             ? tensor
             : tensor.as_strided(tensor.sizes(), strides);
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "instance_norm_prelu(Tensor input, Tensor slope, Tensor? residual, float epsilon) -> "
      "(Tensor output, Tensor mean, Tensor scale)");
  library.def(
      "instance_norm_prelu_backward(Tensor gradient, Tensor input, Tensor mean, Tensor scale, "
      "Tensor slope) -> (Tensor input_gradient, Tensor slope_gradient)");
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("instance_norm_prelu", &forward_cpu);
  library.impl("instance_norm_prelu_backward", &backward_cpu);
}

#if defined(PROXYTUNE_CUDA)
TORCH_LIBRARY_IMPL(proxytune, CUDA, library) {
  library.impl("instance_norm_prelu", &instance_norm_prelu_on_gpu);
  library.impl("instance_norm_prelu_backward", &instance_norm_prelu_backward_on_gpu);
}
#endif

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("instance_norm_prelu", &forward_autograd);
}

}  // namespace proxytune::ops
