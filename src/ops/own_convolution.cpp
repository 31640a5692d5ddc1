#include "ops/own_convolution.h"

#include "ops/rows.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {

using torch::Tensor;

const ProductKernels* kernels_for(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::bfloat16 ? bfloat16_kernels() : float_kernels();
}

Arithmetic arithmetic_of(ConvolutionKernels own) {
  return own == ConvolutionKernels::own_bfloat16 ? Arithmetic::bfloat16 : Arithmetic::float32;
}

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

Samples sample_of(const std::vector<Tensor>& tensors, std::int64_t n, bool fine) {
  std::vector<Sample> parts;
  for (const Tensor& tensor : tensors)
    parts.push_back(sample_of(tensor, n, fine));
  return Samples(std::move(parts));
}

Targets target_of(const std::vector<Tensor>& tensors, std::int64_t n, bool fine) {
  std::vector<Target> parts;
  for (const Tensor& tensor : tensors)
    parts.push_back(target_of(tensor, n, fine));
  return Targets(std::move(parts));
}

Tensor empty_channels_last(c10::IntArrayRef sizes, torch::ScalarType type) {
  const auto strides = c10::get_channels_last_strides_3d(sizes);
  return torch::empty_strided(sizes, strides, type);
}

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

ShiftedConvolution backward_convolution(const Own& own, const Tensor& weight) {
  Tensor backward = own.output_is_fine() ? weight : weight.transpose(0, 1);
  if (own.backward == Relation::same)
    backward = backward.flip({2, 3, 4});
  return shifted_convolution(own, own.backward, backward, std::nullopt);
}

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

std::pair<Tensor, Tensor> gradients_own(const Own& own,
                                        const std::vector<Tensor>& gradient,
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
    const Samples in = sample_of(input, n, own.input_is_fine());
    const Samples out = sample_of(gradient, n, own.output_is_fine());
    if (together) {
      const Targets to = target_of(of_input, n, own.input_is_fine());
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

}  // namespace proxytune::ops
