#include "proxytune/ops/convolution_pair.h"

#include <tuple>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/own_convolution.h"
#include "ops/refuse_double_backward.h"
#include "proxytune/ops/convolution.h"
#include "proxytune/ops/instance_norm_prelu.h"
#include "proxytune/ops/share.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;
using TwoTensors = std::tuple<Tensor, Tensor>;
using ThreeTensors = std::tuple<Tensor, Tensor, Tensor>;

Own own_pair(const Tensor& input, std::int64_t stride) {
  return {Arithmetic::float32, input, stride, false};
}

Tensor joint(const Tensor& first, const Tensor& second) {
  return torch::cat({first.contiguous(), second.contiguous()});
}

Tensor bias_of(const MaybeTensor& bias, const Tensor& weight) {
  return bias ? *bias : torch::zeros({weight.size(0)}, torch::kFloat32);
}

TwoTensors forward_cpu(const Tensor& any_input,
                       const Tensor& first,
                       const MaybeTensor& first_bias,
                       const Tensor& second,
                       const MaybeTensor& second_bias,
                       std::int64_t stride,
                       torch::ScalarType type) {
  TORCH_CHECK(joins_convolutions(any_input, first, second, static_cast<int>(stride)) &&
                  is_written_by_ours(type),
              "our kernels cannot do these convolutions together");
  const Tensor biases = joint(bias_of(first_bias, first), bias_of(second_bias, second));
  TORCH_CHECK(biases.numel() == first.size(0) + second.size(0),
              "a convolution's bias has a value for each of its outputs");
  const Tensor input = channels_last(any_input);
  const Own own = own_pair(input, stride);
  const std::vector<Tensor> outputs{
      empty_channels_last(output_sizes(input, first, stride, false), type),
      empty_channels_last(output_sizes(input, second, stride, false), type)};
  const ShiftedConvolution convolve =
      shifted_convolution(own, own.forward, joint(first, second), biases);
  for_each_sample(input, [&](std::int64_t n) {
    convolve(sample_of(input, n, own.input_is_fine()), target_of(outputs, n, false));
  });
  return {outputs[0], outputs[1]};
}

/// Of the input, where it is wanted, and the weights.
ThreeTensors backward_cpu(const Tensor& first_gradient,
                          const Tensor& second_gradient,
                          const Tensor& any_input,
                          const Tensor& first,
                          const Tensor& second,
                          std::int64_t stride,
                          bool with_input) {
  const Tensor input = channels_last(any_input);
  const auto [of_input, of_weights] =
      gradients_own(own_pair(input, stride),
                    {channels_last(first_gradient), channels_last(second_gradient)},
                    input,
                    joint(first, second),
                    {with_input, true, false});
  return {of_input,
          of_weights.narrow(0, 0, first.size(0)),
          of_weights.narrow(0, first.size(0), second.size(0))};
}

TwoTensors call_forward(const Tensor& input,
                        const Tensor& first,
                        const MaybeTensor& first_bias,
                        const Tensor& second,
                        const MaybeTensor& second_bias,
                        std::int64_t stride,
                        torch::ScalarType type) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::convolution_pair", "")
                                    .typed<TwoTensors(const Tensor&,
                                                      const Tensor&,
                                                      const MaybeTensor&,
                                                      const Tensor&,
                                                      const MaybeTensor&,
                                                      std::int64_t,
                                                      torch::ScalarType)>();
  return operation.call(input, first, first_bias, second, second_bias, stride, type);
}

ThreeTensors call_backward(const Tensor& first_gradient,
                           const Tensor& second_gradient,
                           const std::vector<Tensor>& saved,
                           std::int64_t stride,
                           bool with_input) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("proxytune::convolution_pair_backward", "")
          .typed<ThreeTensors(const Tensor&,
                              const Tensor&,
                              const Tensor&,
                              const Tensor&,
                              const Tensor&,
                              std::int64_t,
                              bool)>();
  return operation.call(
      first_gradient, second_gradient, saved[0], saved[1], saved[2], stride, with_input);
}

class Pair : public torch::autograd::Function<Pair> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& input,
                                                const Tensor& first,
                                                const MaybeTensor& first_bias,
                                                const Tensor& second,
                                                const MaybeTensor& second_bias,
                                                std::int64_t stride,
                                                torch::ScalarType type) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({input, first, second});
    context->saved_data["stride"] = stride;
    context->saved_data["first_bias"] = first_bias.has_value();
    context->saved_data["second_bias"] = second_bias.has_value();
    const auto [one, other] =
        call_forward(input, first, first_bias, second, second_bias, stride, type);
    return {one, other};
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("convolution_pair");
    const auto [input, first, second] = call_backward(gradients[0],
                                                      gradients[1],
                                                      context->get_saved_variables(),
                                                      context->saved_data["stride"].toInt(),
                                                      context->needs_input_grad(0));
    const auto of_bias = [&](const char* has, const Tensor& gradient) {
      return context->saved_data[has].toBool() ? bias_gradient_own(channels_last(gradient))
                                               : Tensor();
    };
    return {input,
            first,
            of_bias("first_bias", gradients[0]),
            second,
            of_bias("second_bias", gradients[1]),
            Tensor(),
            Tensor()};
  }
};

TwoTensors forward_autograd(const Tensor& input,
                            const Tensor& first,
                            const MaybeTensor& first_bias,
                            const Tensor& second,
                            const MaybeTensor& second_bias,
                            std::int64_t stride,
                            torch::ScalarType type) {
  const auto outputs = Pair::apply(input, first, first_bias, second, second_bias, stride, type);
  return {outputs[0], outputs[1]};
}

}  // namespace

std::pair<Tensor, Tensor> convolution_pair(const Tensor& input,
                                           const WeightAndBias& first,
                                           const WeightAndBias& second,
                                           int stride,
                                           std::optional<torch::ScalarType> output_type) {
  if (!joins_convolutions(input, first.weight, second.weight, stride)) {
    const ConvolutionOptions options{.stride = stride, .output_type = output_type};
    const auto [for_first, for_second] = share(input);
    return {convolution(for_first, first.weight, first.bias, options),
            convolution(for_second, second.weight, second.bias, options)};
  }
  const auto [one, other] = call_forward(input,
                                         first.weight,
                                         first.bias,
                                         second.weight,
                                         second.bias,
                                         stride,
                                         output_type.value_or(input.scalar_type()));
  return {one, other};
}

bool joins_convolutions(const Tensor& input,
                        const Tensor& first_weight,
                        const Tensor& second_weight,
                        int stride) {
  return input.dim() == 5 && first_weight.size(1) == input.size(1) &&
         second_weight.size(1) == input.size(1) &&
         is_left_to_own_float32(input, first_weight, stride, false) &&
         is_left_to_own_float32(input, second_weight, stride, false);
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "convolution_pair(Tensor input, Tensor first, Tensor? first_bias, Tensor second, Tensor? "
      "second_bias, int stride, ScalarType output_type) -> (Tensor, Tensor)");
  library.def(
      "convolution_pair_backward(Tensor first_gradient, Tensor second_gradient, Tensor input, "
      "Tensor first, Tensor second, int stride, bool with_input) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("convolution_pair", &forward_cpu);
  library.impl("convolution_pair_backward", &backward_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("convolution_pair", &forward_autograd);
}

}  // namespace proxytune::ops
