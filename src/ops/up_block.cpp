#include "proxytune/ops/up_block.h"

#include <tuple>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/own_up_block.h"
#include "ops/refuse_double_backward.h"
#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/concatenate.h"
#include "proxytune/ops/convolution.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;
using Outputs = std::tuple<Tensor, Tensor, Tensor, Tensor>;  // and what is kept
// In the arguments' order.
using AllGradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

Outputs forward_cpu(const Tensor& first,
                    const Tensor& second,
                    const Tensor& up,
                    const Tensor& slope,
                    const Tensor& weight,
                    const Tensor& bias,
                    torch::ScalarType output,
                    double epsilon) {
  const UpBlock block{up, slope, weight, bias};
  TORCH_CHECK(fuses_up_block(first, second, block), "our kernels cannot do this block");
  TORCH_CHECK(is_written_by_ours(output), "our convolutions give float32 or bfloat16");
  const UpBlockOutput made =
      up_block_forward({channels_last(first), channels_last(second)}, block, output, epsilon);
  return {made.output, made.state.raw, made.state.mean, made.state.scale};
}

AllGradients backward_cpu(const Tensor& gradient,
                          const Tensor& first,
                          const Tensor& second,
                          const Tensor& up,
                          const Tensor& slope,
                          const Tensor& weight,
                          const Tensor& bias,
                          const Tensor& raw,
                          const Tensor& mean,
                          const Tensor& scale) {
  TORCH_CHECK(is_written_by_ours(gradient.scalar_type()),
              "our convolutions take gradients in float32 or bfloat16");
  const UpBlockGradients made = up_block_backward(channels_last(gradient),
                                                  {channels_last(first), channels_last(second)},
                                                  {up, slope, weight, bias},
                                                  {raw, mean, scale});
  return {made.inputs[0], made.inputs[1], made.up, made.slope, made.weight, made.bias};
}

Outputs call_forward(const Tensor& first,
                     const Tensor& second,
                     const UpBlock& block,
                     torch::ScalarType output,
                     double epsilon) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::up_block", "")
                                    .typed<Outputs(const Tensor&,
                                                   const Tensor&,
                                                   const Tensor&,
                                                   const Tensor&,
                                                   const Tensor&,
                                                   const Tensor&,
                                                   torch::ScalarType,
                                                   double)>();
  return operation.call(
      first, second, block.up, block.slope, block.weight, block.bias, output, epsilon);
}

AllGradients call_backward(const Tensor& gradient, const std::vector<Tensor>& saved) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::up_block_backward", "")
                                    .typed<AllGradients(const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&,
                                                        const Tensor&)>();
  return operation.call(gradient,
                        saved[0],
                        saved[1],
                        saved[2],
                        saved[3],
                        saved[4],
                        saved[5],
                        saved[6],
                        saved[7],
                        saved[8]);
}

class Block : public torch::autograd::Function<Block> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& first,
                                                const Tensor& second,
                                                const Tensor& up,
                                                const Tensor& slope,
                                                const Tensor& weight,
                                                const Tensor& bias,
                                                torch::ScalarType output_type,
                                                double epsilon) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    const auto [output, raw, mean, scale] =
        call_forward(first, second, {up, slope, weight, bias}, output_type, epsilon);
    context->save_for_backward({first, second, up, slope, weight, bias, raw, mean, scale});
    context->mark_non_differentiable({raw, mean, scale});
    context->set_materialize_grads(false);
    return {output, raw, mean, scale};
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("up_block");
    const auto [first, second, up, slope, weight, bias] =
        call_backward(gradients[0], context->get_saved_variables());
    return {first, second, up, slope, weight, bias, Tensor(), Tensor()};
  }
};

Outputs forward_autograd(const Tensor& first,
                         const Tensor& second,
                         const Tensor& up,
                         const Tensor& slope,
                         const Tensor& weight,
                         const Tensor& bias,
                         torch::ScalarType output,
                         double epsilon) {
  const auto outputs = Block::apply(first, second, up, slope, weight, bias, output, epsilon);
  return {outputs[0], outputs[1], outputs[2], outputs[3]};
}

}  // namespace

bool fuses_up_block(const Tensor& first, const Tensor& second, const UpBlock& block) {
  constexpr std::int64_t few = most_outputs;
  // Where vectors of bfloat16 are multiplied twice as fast as floats, ours in steps use them.
  const bool narrow = is_bfloat16(first) && has_bfloat16_products() && !has_bfloat16_matrices();
  return !narrow && fits_own_kernels(Arithmetic::float32, first, block.up, 2, true) &&
         first.dim() == 5 && first.scalar_type() == second.scalar_type() &&
         first.size(0) == second.size(0) && first.sizes().slice(2) == second.sizes().slice(2) &&
         first.size(1) + second.size(1) == block.up.size(0) &&
         block.weight.scalar_type() == torch::kFloat32 && block.weight.size(2) == 3 &&
         block.weight.size(0) <= few && block.weight.size(1) == block.up.size(1) &&
         block.slope.numel() == 1 && block.bias.numel() == block.weight.size(0);
}

Tensor up_block_in_steps(const Tensor& first,
                         const Tensor& second,
                         const UpBlock& block,
                         std::optional<torch::ScalarType> output_type,
                         double epsilon) {
  const Tensor raw = convolution(
      concatenate(first, second), block.up, std::nullopt, {.stride = 2, .transposed = true});
  const Tensor active = instance_norm_prelu(raw, block.slope, std::nullopt, epsilon);
  return convolution(active,
                     block.weight,
                     block.bias,
                     {.output_type = output_type.value_or(first.scalar_type())});
}

Tensor up_block(const Tensor& first,
                const Tensor& second,
                const UpBlock& block,
                std::optional<torch::ScalarType> output_type,
                double epsilon) {
  if (!fuses_up_block(first, second, block))
    return up_block_in_steps(first, second, block, output_type, epsilon);
  const torch::ScalarType type = output_type.value_or(first.scalar_type());
  return std::get<0>(call_forward(first, second, block, type, epsilon));
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "up_block(Tensor first, Tensor second, Tensor up, Tensor slope, Tensor weight, Tensor "
      "bias, ScalarType "
      "output_type, float epsilon) -> (Tensor output, Tensor raw, Tensor mean, Tensor scale)");
  library.def(
      "up_block_backward(Tensor gradient, Tensor first, Tensor second, Tensor up, Tensor "
      "slope, Tensor "
      "weight, "
      "Tensor bias, Tensor raw, Tensor mean, Tensor scale) -> "
      "(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("up_block", &forward_cpu);
  library.impl("up_block_backward", &backward_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("up_block", &forward_autograd);
}

}  // namespace proxytune::ops
