#include "proxytune/ops/convolution.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/library_convolution.h"
#include "ops/own_convolution.h"
#include "ops/refuse_double_backward.h"
#include "ops/row_convolution.h"
#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

// ---- Who computes ----

enum class Pass { forward, backward };

/// Whether ours are the faster ones. Measured with tools/benchmark.sh convolution on one core
/// with AVX-512, with and without AMX: those of float32 won 1.2 to 60 times but for the
/// backward pass of a wide transposed convolution to 2 channels (0.7); against the library's
/// AMX those of bfloat16 won up to some 32 products of channels.
bool pays(Pass pass, bool all_bfloat16, const Tensor& weight, bool transposed) {
  const std::int64_t first = weight.size(0);
  const std::int64_t second = weight.size(1);
  if (pass == Pass::backward && transposed && first > 8 * second)
    return false;
  constexpr std::int64_t few_products = 32;
  return !all_bfloat16 || !has_bfloat16_matrices() || first * second <= few_products;
}

/// What our kernels compute in, where they are to be taken. `output` is of the output, or of
/// its gradient: what is to be float32, as logits are, is computed in float32 by whoever does.
std::optional<Arithmetic> own_arithmetic(ConvolutionKernels kernels,
                                         Pass pass,
                                         const Tensor& input,
                                         const Tensor& weight,
                                         torch::ScalarType output,
                                         std::int64_t stride,
                                         bool transposed) {
  if (kernels == ConvolutionKernels::library || kernels == ConvolutionKernels::own_rows)
    return std::nullopt;
  if (kernels == ConvolutionKernels::fastest) {
    const bool all_bfloat16 = is_bfloat16(input) && output == torch::kBFloat16;
    const bool narrow = all_bfloat16 && has_bfloat16_products() && !has_bfloat16_matrices();
    const Arithmetic arithmetic = narrow ? Arithmetic::bfloat16 : Arithmetic::float32;
    const bool take = fits_own_kernels(arithmetic, input, weight, stride, transposed) &&
                      pays(pass, all_bfloat16, weight, transposed);
    return take ? std::optional(arithmetic) : std::nullopt;
  }
  const Arithmetic arithmetic = arithmetic_of(kernels);
  TORCH_CHECK(fits_own_kernels(arithmetic, input, weight, stride, transposed),
              "our kernels cannot do this convolution, or not on this processor");
  return arithmetic;
}

/// Whether what narrow kernels do not take is done row by row. They are written for one thread.
bool takes_row_products(ConvolutionKernels kernels,
                        const Tensor& input,
                        const Tensor& weight,
                        torch::ScalarType output) {
  if (kernels == ConvolutionKernels::own_rows) {
    TORCH_CHECK(fits_row_products(input, weight, output),
                "our kernels cannot do this convolution, or not on this processor");
    return true;
  }
  return kernels == ConvolutionKernels::fastest && at::get_num_threads() == 1 &&
         fits_row_products(input, weight, output);
}

Tensor forward_cpu(const Tensor& input,
                   const Tensor& weight,
                   const MaybeTensor& bias,
                   std::int64_t stride,
                   bool transposed,
                   torch::ScalarType output,
                   std::int64_t kernels) {
  check_operands(input, weight, stride, transposed);
  const auto own = own_arithmetic(static_cast<ConvolutionKernels>(kernels),
                                  Pass::forward,
                                  input,
                                  weight,
                                  output,
                                  stride,
                                  transposed);
  if (!own &&
      takes_row_products(static_cast<ConvolutionKernels>(kernels), input, weight, output)) {
    TORCH_CHECK(!bias || bias->numel() == weight.size(transposed ? 1 : 0),
                "a convolution's bias has a value for each of its outputs");
    return forward_by_rows(input, weight, bias, stride, transposed);
  }
  if (!own)
    return forward_library(input, weight, bias, stride, transposed, output, kernels);
  TORCH_CHECK(is_written_by_ours(output), "our convolutions give float32 or bfloat16");
  TORCH_CHECK(!bias || bias->numel() == weight.size(transposed ? 1 : 0),
              "a convolution's bias has a value for each of its outputs");
  return forward_own(*own, input, weight, bias, stride, transposed, output);
}

Gradients backward_cpu(const Tensor& any_gradient,
                       const Tensor& any_input,
                       const Tensor& weight,
                       std::int64_t stride,
                       bool transposed,
                       Wanted wanted,
                       std::int64_t kernels) {
  const auto arithmetic = own_arithmetic(static_cast<ConvolutionKernels>(kernels),
                                         Pass::backward,
                                         any_input,
                                         weight,
                                         any_gradient.scalar_type(),
                                         stride,
                                         transposed);
  if (!arithmetic && takes_row_products(static_cast<ConvolutionKernels>(kernels),
                                        any_input,
                                        weight,
                                        any_gradient.scalar_type()))
    return backward_by_rows(any_gradient, any_input, weight, stride, transposed, wanted);
  if (!arithmetic)
    return backward_library(
        any_gradient, any_input, weight, stride, transposed, wanted, kernels);
  TORCH_CHECK(is_written_by_ours(any_gradient.scalar_type()) &&
                  any_gradient.size(0) == any_input.size(0) &&
                  any_gradient.size(1) == weight.size(transposed ? 1 : 0),
              "our convolutions take gradients of their outputs, in float32 or bfloat16");
  const Tensor input = channels_last(any_input);
  const Tensor gradient = channels_last(any_gradient);
  const Own own(*arithmetic, input, stride, transposed);
  auto [of_input, of_weight] = gradients_own(own, {gradient}, input, weight, wanted);
  return {of_input, of_weight, wanted[2] ? bias_gradient_own(gradient) : Tensor()};
}

// ---- LibTorch's dispatcher and autograd ----

Tensor call_forward(const Tensor& input,
                    const Tensor& weight,
                    const MaybeTensor& bias,
                    std::int64_t stride,
                    bool transposed,
                    torch::ScalarType output,
                    std::int64_t kernels) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::convolution", "")
                                    .typed<Tensor(const Tensor&,
                                                  const Tensor&,
                                                  const MaybeTensor&,
                                                  std::int64_t,
                                                  bool,
                                                  torch::ScalarType,
                                                  std::int64_t)>();
  return operation.call(input, weight, bias, stride, transposed, output, kernels);
}

Gradients call_backward(const Tensor& gradient,
                        const Tensor& input,
                        const Tensor& weight,
                        std::int64_t stride,
                        bool transposed,
                        Wanted wanted,
                        std::int64_t kernels) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::convolution_backward", "")
                                    .typed<Gradients(const Tensor&,
                                                     const Tensor&,
                                                     const Tensor&,
                                                     std::int64_t,
                                                     bool,
                                                     Wanted,
                                                     std::int64_t)>();
  return operation.call(gradient, input, weight, stride, transposed, wanted, kernels);
}

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context,
                        const Tensor& input,
                        const Tensor& weight,
                        const MaybeTensor& bias,
                        std::int64_t stride,
                        bool transposed,
                        torch::ScalarType output,
                        std::int64_t kernels) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->save_for_backward({input, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["transposed"] = transposed;
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["kernels"] = kernels;
    return call_forward(input, weight, bias, stride, transposed, output, kernels);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("convolution");
    const auto saved = context->get_saved_variables();
    const bool has_bias = context->saved_data["bias"].toBool();
    const auto [input, weight, bias] = call_backward(gradients[0],
                                                     saved[0],
                                                     saved[1],
                                                     context->saved_data["stride"].toInt(),
                                                     context->saved_data["transposed"].toBool(),
                                                     {context->needs_input_grad(0),
                                                      context->needs_input_grad(1),
                                                      has_bias && context->needs_input_grad(2)},
                                                     context->saved_data["kernels"].toInt());
    return {input, weight, bias, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor forward_autograd(const Tensor& input,
                        const Tensor& weight,
                        const MaybeTensor& bias,
                        std::int64_t stride,
                        bool transposed,
                        torch::ScalarType output,
                        std::int64_t kernels) {
  return Convolution::apply(input, weight, bias, stride, transposed, output, kernels);
}

}  // namespace

Tensor convolution(const Tensor& input,
                   const Tensor& weight,
                   const MaybeTensor& bias,
                   const ConvolutionOptions& options) {
  return call_forward(input,
                      weight,
                      bias,
                      options.stride,
                      options.transposed,
                      options.output_type.value_or(input.scalar_type()),
                      static_cast<std::int64_t>(options.kernels));
}

bool is_left_to_own_float32(const Tensor& input,
                            const Tensor& weight,
                            torch::ScalarType output,
                            std::int64_t stride,
                            bool transposed) {
  const auto computed_in = [&](Pass pass) {
    return own_arithmetic(
        ConvolutionKernels::fastest, pass, input, weight, output, stride, transposed);
  };
  return computed_in(Pass::forward) == Arithmetic::float32 &&
         computed_in(Pass::backward) == Arithmetic::float32;
}

bool can_convolve(ConvolutionKernels own,
                  const Tensor& input,
                  const Tensor& weight,
                  const ConvolutionOptions& options) {
  if (own == ConvolutionKernels::own_rows)
    return fits_row_products(input, weight, options.output_type.value_or(input.scalar_type()));
  return fits_own_kernels(
      arithmetic_of(own), input, weight, options.stride, options.transposed);
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "convolution(Tensor input, Tensor weight, Tensor? bias, int stride, bool transposed, "
      "ScalarType output_type, int kernels) -> Tensor");
  library.def(
      "convolution_backward(Tensor gradient, Tensor input, Tensor weight, int stride, "
      "bool transposed, bool[3] wanted, int kernels) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(proxytune, CompositeExplicitAutograd, library) {
  library.impl("convolution", &forward_library);
  library.impl("convolution_backward", &backward_library);
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("convolution", &forward_cpu);
  library.impl("convolution_backward", &backward_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("convolution", &forward_autograd);
}

}  // namespace proxytune::ops
