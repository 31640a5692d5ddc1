#include "ops/row_convolution.h"

#include "ops/library_convolution.h"
#include "ops/own_convolution.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

Extents extents_of(const Tensor& tensor) {
  return {tensor.size(2), tensor.size(3), tensor.size(4)};
}

std::int64_t voxels_of(const Tensor& tensor) {
  return tensor.size(2) * tensor.size(3) * tensor.size(4);
}

Relation forward_relation(std::int64_t stride, bool transposed) {
  if (transposed)
    return Relation::coarse_to_fine;
  return stride == 2 ? Relation::fine_to_coarse : Relation::same;
}

Relation backward_relation(std::int64_t stride, bool transposed) {
  if (transposed)
    return Relation::fine_to_coarse;
  return stride == 2 ? Relation::coarse_to_fine : Relation::same;
}

void multiply(const RowProducts& of, const Tensor& input, const Tensor& output) {
  if (is_bfloat16(input))
    matrix_products()(of,
                      static_cast<const std::uint16_t*>(input.const_data_ptr()),
                      static_cast<std::uint16_t*>(output.mutable_data_ptr()));
  else
    row_kernels()->products(
        of, input.const_data_ptr<float>(), output.mutable_data_ptr<float>());
}

RowProducts products_of(const RowPlan& plan,
                        const Tensor& weight,
                        bool inputs_first,
                        const Tensor& input,
                        const Tensor& output) {
  RowProducts of;
  of.plan = &plan;
  of.inputs = static_cast<int>(input.size(1));
  of.outputs = static_cast<int>(output.size(1));
  of.weights = {weight.const_data_ptr<float>(), inputs_first};
  return of;
}

Tensor input_gradient(const Tensor& gradient,
                      const Tensor& input,
                      const Tensor& weight,
                      std::int64_t stride,
                      bool transposed) {
  const Relation relation = backward_relation(stride, transposed);
  const RowPlan& plan = row_plan({relation,
                                  relation == Relation::same,
                                  extents_of(input),
                                  extents_of(gradient),
                                  input.size(0)});
  Tensor result = empty_channels_last(input.sizes(), input.scalar_type());
  multiply(products_of(plan, weight, !transposed, gradient, result), gradient, result);
  return result;
}

Tensor weight_gradient_by_library(const Tensor& gradient,
                                  const Tensor& input,
                                  const Tensor& weight,
                                  std::int64_t stride,
                                  bool transposed) {
  constexpr Wanted only_weight{false, true, false};
  return std::get<1>(
      backward_library(gradient, input, weight, stride, transposed, only_weight, 0));
}

Tensor weight_gradient(const Tensor& any_gradient,
                       const Tensor& any_input,
                       const Tensor& weight,
                       std::int64_t stride,
                       bool transposed) {
  // Where it sums in matrices as well, the library is the faster one.
  constexpr std::int64_t few_for_matrices = 64;
  if (is_bfloat16(any_input) &&
      std::min(voxels_of(any_gradient), voxels_of(any_input)) > few_for_matrices)
    return weight_gradient_by_library(any_gradient, any_input, weight, stride, transposed);
  const Tensor gradient = any_gradient.to(torch::kFloat32);
  const Tensor input = any_input.to(torch::kFloat32);
  // Small grids are one with all their samples, so that runs are long.
  constexpr std::int64_t few_voxels = 256;
  const bool together = std::min(voxels_of(gradient), voxels_of(input)) <= few_voxels;
  const std::int64_t samples = input.size(0);
  const std::int64_t planned = together ? samples : 1;
  Tensor result = empty_channels_last(weight.sizes(), torch::kFloat32);
  RowGradients of;
  of.plan = &row_plan({forward_relation(stride, transposed),
                       false,
                       extents_of(gradient),
                       extents_of(input),
                       planned});
  of.samples = samples / planned;
  of.target_voxels = planned * voxels_of(gradient);
  of.source_voxels = planned * voxels_of(input);
  of.source_channels = static_cast<int>(input.size(1));
  of.target_channels = static_cast<int>(gradient.size(1));
  of.sources_first = transposed;
  of.to = result.mutable_data_ptr<float>();
  row_kernels()->gradients(of, input.const_data_ptr<float>(), gradient.const_data_ptr<float>());
  return result;
}

}  // namespace

bool fits_row_products(const Tensor& input, const Tensor& weight, torch::ScalarType output) {
  if (!input.is_cpu() || weight.scalar_type() != torch::kFloat32 || weight.size(2) != 3 ||
      input.numel() == 0 || output != input.scalar_type() || row_kernels() == nullptr)
    return false;
  const auto channels_in = [&](std::int64_t some) {
    return weight.size(0) % some == 0 && weight.size(1) % some == 0;
  };
  if (is_bfloat16(input))
    return matrix_products() != nullptr && channels_in(16);
  return input.scalar_type() == torch::kFloat32 && channels_in(8);
}

Tensor forward_by_rows(const Tensor& any_input,
                       const Tensor& any_weight,
                       const MaybeTensor& any_bias,
                       std::int64_t stride,
                       bool transposed) {
  const Tensor input = channels_last(any_input);
  const Tensor weight = channels_last(any_weight);
  const Tensor output =
      empty_channels_last(output_sizes(input, weight, stride, transposed), input.scalar_type());
  const RowPlan& plan = row_plan({forward_relation(stride, transposed),
                                  false,
                                  extents_of(output),
                                  extents_of(input),
                                  input.size(0)});
  RowProducts of = products_of(plan, weight, transposed, input, output);
  const Tensor bias = any_bias ? any_bias->contiguous() : Tensor();
  of.bias = any_bias ? bias.const_data_ptr<float>() : nullptr;
  multiply(of, input, output);
  return output;
}

Gradients backward_by_rows(const Tensor& any_gradient,
                           const Tensor& any_input,
                           const Tensor& any_weight,
                           std::int64_t stride,
                           bool transposed,
                           const Wanted& wanted) {
  const Tensor gradient = channels_last(any_gradient);
  const Tensor input = channels_last(any_input);
  const Tensor weight = channels_last(any_weight);
  return {wanted[0] ? input_gradient(gradient, input, weight, stride, transposed) : Tensor(),
          wanted[1] ? weight_gradient(gradient, input, weight, stride, transposed) : Tensor(),
          wanted[2] ? bias_gradient_own(gradient) : Tensor()};
}

}  // namespace proxytune::ops
