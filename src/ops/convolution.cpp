#include "proxytune/ops/convolution.h"

#include <array>
#include <tuple>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/narrow_convolution.h"
#include "ops/refuse_double_backward.h"
#include "ops/rows.h"
#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;
using MaybeTensor = std::optional<Tensor>;
using Gradients = std::tuple<Tensor, Tensor, Tensor>;  // of input, weight and bias
using Wanted = std::array<bool, 3>;

bool is_bfloat16(const Tensor& tensor) {
  return tensor.scalar_type() == torch::kBFloat16;
}

std::vector<std::int64_t> output_sizes(const Tensor& input,
                                       const Tensor& weight,
                                       std::int64_t stride,
                                       bool transposed) {
  std::vector<std::int64_t> sizes = input.sizes().vec();
  sizes[1] = weight.size(transposed ? 1 : 0);
  for (std::size_t axis = 2; axis < 5; ++axis)
    sizes[axis] = transposed ? 2 * sizes[axis] : (sizes[axis] + stride - 1) / stride;
  return sizes;
}

void check_operands(const Tensor& input,
                    const Tensor& weight,
                    std::int64_t stride,
                    bool transposed) {
  TORCH_CHECK(input.dim() == 5 && weight.dim() == 5, "convolution takes five dimensions");
  TORCH_CHECK(weight.size(2) == weight.size(3) && weight.size(2) == weight.size(4) &&
                  (weight.size(2) == 3 || (weight.size(2) == 1 && !transposed)),
              "convolution takes kernels of edge 1 or 3");
  TORCH_CHECK(transposed ? stride == 2 : stride == 1 || stride == 2,
              "convolution takes stride 1 or 2, transposed ones 2");
  TORCH_CHECK(input.size(1) == weight.size(transposed ? 0 : 1),
              "input and weight differ in channels");
}

// ---- LibTorch's ----

struct Library {
  std::array<std::int64_t, 3> stride, padding, output_padding;
  bool transposed;

  Library(const Tensor& weight, std::int64_t step, bool is_transposed)
      : stride{step, step, step}, transposed(is_transposed) {
    padding.fill(weight.size(2) / 2);
    output_padding.fill(is_transposed ? 1 : 0);
  }

  Tensor forward(const Tensor& input, const Tensor& weight, const MaybeTensor& bias) const {
    return at::convolution(
        input, weight, bias, stride, padding, {1, 1, 1}, transposed, output_padding, 1);
  }

  Gradients backward(const Tensor& gradient,
                     const Tensor& input,
                     const Tensor& weight,
                     const Wanted& wanted) const {
    const std::int64_t outputs = gradient.size(1);
    return at::convolution_backward(gradient,
                                    input,
                                    weight,
                                    c10::IntArrayRef(&outputs, 1),
                                    stride,
                                    padding,
                                    {1, 1, 1},
                                    transposed,
                                    output_padding,
                                    1,
                                    wanted);
  }
};

MaybeTensor to(const MaybeTensor& tensor, torch::ScalarType type) {
  return tensor ? MaybeTensor(tensor->to(type)) : tensor;
}

std::int64_t voxels_of(const Tensor& tensor) {
  return tensor.size(2) * tensor.size(3) * tensor.size(4);
}

// LibTorch 2.11's bfloat16 convolutions are wrong on the CPU for a few voxels: the gradient of
// a weight at 2^3 is uninitialised memory, the output of 1 -> 1 channels at 1^3 another number.
constexpr std::int64_t few_for_forward = 8;
constexpr std::int64_t few_for_backward = 64;

Tensor forward_library(const Tensor& input,
                       const Tensor& weight,
                       const MaybeTensor& bias,
                       std::int64_t stride,
                       bool transposed,
                       torch::ScalarType output,
                       std::int64_t /*kernels*/) {
  check_operands(input, weight, stride, transposed);
  torch::ScalarType type = output;
  if (type == torch::kBFloat16 && voxels_of(input) <= few_for_forward)
    type = torch::kFloat32;
  const Tensor result =
      Library(weight, stride, transposed)
          .forward(
              channels_last(input.to(type)), channels_last(weight.to(type)), to(bias, type));
  return channels_last(result.to(output));
}

Gradients backward_library(const Tensor& gradient,
                           const Tensor& input,
                           const Tensor& weight,
                           std::int64_t stride,
                           bool transposed,
                           Wanted wanted,
                           std::int64_t /*kernels*/) {
  torch::ScalarType type = gradient.scalar_type();
  const std::int64_t voxels = std::min(voxels_of(gradient), voxels_of(input));
  if (type == torch::kBFloat16 && voxels <= few_for_backward)
    type = torch::kFloat32;
  auto [of_input, of_weight, of_bias] = Library(weight, stride, transposed)
                                            .backward(channels_last(gradient.to(type)),
                                                      channels_last(input.to(type)),
                                                      channels_last(weight.to(type)),
                                                      wanted);
  return {wanted[0] ? of_input.to(input.scalar_type()) : Tensor(),
          wanted[1] ? of_weight.to(weight.scalar_type()) : Tensor(),
          wanted[2] ? of_bias.to(weight.scalar_type()) : Tensor()};
}

// ---- Ours ----

const ProductKernels* kernels_for(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::bfloat16 ? bfloat16_kernels() : float_kernels();
}

Arithmetic arithmetic_of(ConvolutionKernels own) {
  return own == ConvolutionKernels::own_bfloat16 ? Arithmetic::bfloat16 : Arithmetic::float32;
}

/// One convolution as our kernels see it, whichever way it is passed through.
struct Own {
  Arithmetic arithmetic;
  Relation forward, backward;
  Lattice lattice;  // of the coarse side

  Own(Arithmetic computed_in, const Tensor& input, std::int64_t stride, bool transposed)
      : arithmetic(computed_in),
        forward(transposed    ? Relation::coarse_to_fine
                : stride == 2 ? Relation::fine_to_coarse
                              : Relation::same),
        backward(transposed    ? Relation::fine_to_coarse
                 : stride == 2 ? Relation::coarse_to_fine
                               : Relation::same) {
    const std::int64_t over = forward == Relation::fine_to_coarse ? 2 : 1;
    lattice = {input.size(2) / over, input.size(3) / over, input.size(4) / over};
  }
  bool input_is_fine() const { return forward == Relation::fine_to_coarse; }
  bool output_is_fine() const { return forward == Relation::coarse_to_fine; }
};

Sample sample_of(const Tensor& tensor, std::int64_t n, bool fine) {
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  const std::int64_t bytes = tensor.numel() / tensor.size(0) * tensor.element_size();
  return {data + n * bytes, is_bfloat16(tensor), fine, static_cast<int>(tensor.size(1))};
}

Target target_of(const Tensor& tensor, std::int64_t n, bool fine) {
  auto* data = static_cast<std::byte*>(tensor.mutable_data_ptr());
  const std::int64_t bytes = tensor.numel() / tensor.size(0) * tensor.element_size();
  return {data + n * bytes, is_bfloat16(tensor), fine, static_cast<int>(tensor.size(1))};
}

Tensor empty_channels_last(c10::IntArrayRef sizes, torch::ScalarType type) {
  const auto strides = c10::get_channels_last_strides_3d(sizes);
  return torch::empty_strided(sizes, strides, type);
}

/// weight: (out, in, ...) of the direction it is applied in.
ShiftedConvolution shifted_convolution(const Own& own,
                                       Relation relation,
                                       const Tensor& any_weight,
                                       const MaybeTensor& any_bias) {
  const Tensor weight = any_weight.contiguous();
  const Tensor bias = any_bias ? any_bias->contiguous() : Tensor();
  return {*kernels_for(own.arithmetic),
          own.arithmetic,
          relation,
          own.lattice,
          static_cast<int>(weight.size(1)),
          static_cast<int>(weight.size(0)),
          weight.const_data_ptr<float>(),
          any_bias ? bias.const_data_ptr<float>() : nullptr};
}

/// Calls with each sample's number.
template <class Call>
void for_each_sample(const Tensor& of, const Call& call) {
  at::parallel_for(0, of.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      call(n);
  });
}

Tensor forward_own(Arithmetic arithmetic,
                   const Tensor& any_input,
                   const Tensor& weight,
                   const MaybeTensor& bias,
                   std::int64_t stride,
                   bool transposed,
                   torch::ScalarType type) {
  const Tensor input = channels_last(any_input);
  const Own own(arithmetic, input, stride, transposed);
  const Tensor output =
      empty_channels_last(output_sizes(input, weight, stride, transposed), type);
  const ShiftedConvolution convolve =
      shifted_convolution(own, own.forward, transposed ? weight.transpose(0, 1) : weight, bias);
  for_each_sample(input, [&](std::int64_t n) {
    convolve(sample_of(input, n, own.input_is_fine()),
             target_of(output, n, own.output_is_fine()));
  });
  return output;
}

/// From the output's gradient to the input's.
ShiftedConvolution backward_convolution(const Own& own, const Tensor& weight) {
  Tensor backward = own.output_is_fine() ? weight : weight.transpose(0, 1);
  if (own.backward == Relation::same)
    backward = backward.flip({2, 3, 4});
  return shifted_convolution(own, own.backward, backward, std::nullopt);
}

/// Each sample's sums by themselves, so that they do not depend on threads.
using SumsOfSamples = std::vector<std::vector<double>>;

Tensor total(const SumsOfSamples& sums, const Tensor& weight) {
  Tensor result = torch::empty(weight.sizes(), torch::kFloat32);
  auto* const values = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    double sum = 0;
    for (const std::vector<double>& of_sample : sums)
      sum += of_sample[static_cast<std::size_t>(i)];
    values[i] = static_cast<float>(sum);
  }
  return result;
}

/// The gradients of input and weight that are wanted.
std::pair<Tensor, Tensor> gradients_own(const Own& own,
                                        const Tensor& gradient,
                                        const Tensor& input,
                                        const Tensor& weight,
                                        const Wanted& wanted) {
  const ProductKernels& kernels = *kernels_for(own.arithmetic);
  const bool together = wanted[0] && wanted[1] && own.arithmetic == Arithmetic::float32;
  const Tensor of_input =
      wanted[0] ? empty_channels_last(input.sizes(), input.scalar_type()) : Tensor();
  std::optional<ShiftedConvolution> backward;
  if (wanted[0])
    backward.emplace(backward_convolution(own, weight));
  SumsOfSamples sums(static_cast<std::size_t>(input.size(0)));
  for_each_sample(input, [&](std::int64_t n) {
    std::vector<double>& of_sample = sums[static_cast<std::size_t>(n)];
    of_sample.assign(static_cast<std::size_t>(weight.numel()), 0);
    const Sample in = sample_of(input, n, own.input_is_fine());
    const Sample out = sample_of(gradient, n, own.output_is_fine());
    if (together) {
      const Target to = target_of(of_input, n, own.input_is_fine());
      run_backward(kernels, own.forward, own.lattice, *backward, in, out, to, of_sample);
      return;
    }
    if (wanted[0])
      (*backward)(out, target_of(of_input, n, own.input_is_fine()));
    if (wanted[1])
      add_weight_gradient(kernels,
                          own.arithmetic,
                          own.forward,
                          own.lattice,
                          own.output_is_fine() ? out : in,
                          own.output_is_fine() ? in : out,
                          of_sample);
  });
  return {of_input, wanted[1] ? total(sums, weight) : Tensor()};
}

Tensor bias_gradient_own(const Tensor& gradient) {
  std::vector<double> sums(static_cast<std::size_t>(gradient.size(1)));
  const std::int64_t voxels = gradient.numel() / gradient.size(1);
  if (is_bfloat16(gradient))
    add_channels(static_cast<const Bfloat16*>(gradient.const_data_ptr()), voxels, sums);
  else
    add_channels(gradient.const_data_ptr<float>(), voxels, sums);
  return torch::tensor(sums, torch::kFloat64).to(torch::kFloat32);
}

// ---- Which ----

bool fits_own_kernels(Arithmetic arithmetic,
                      const Tensor& input,
                      const Tensor& weight,
                      std::int64_t stride,
                      bool transposed) {
  const bool type = input.scalar_type() == torch::kFloat32 || is_bfloat16(input);
  if (!input.is_cpu() || !type || weight.scalar_type() != torch::kFloat32 ||
      weight.size(2) != 3 || kernels_for(arithmetic) == nullptr)
    return false;
  constexpr std::int64_t few = most_outputs;
  if (transposed)
    return weight.size(1) <= few;
  if (stride == 1)
    return weight.size(0) <= few && weight.size(1) <= few;
  const bool even = input.size(2) % 2 == 0 && input.size(3) % 2 == 0 && input.size(4) % 2 == 0;
  return even && weight.size(1) <= few;
}

/// Our kernels write by pointers: what they are handed must be what they take it for.
bool is_written_by_ours(torch::ScalarType type) {
  return type == torch::kFloat32 || type == torch::kBFloat16;
}

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
  if (kernels == ConvolutionKernels::library)
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
  auto [of_input, of_weight] = gradients_own(own, gradient, input, weight, wanted);
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

bool can_convolve(ConvolutionKernels own,
                  const Tensor& input,
                  const Tensor& weight,
                  const ConvolutionOptions& options) {
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
