#include "ops/library_convolution.h"

#include <algorithm>

#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {

using torch::Tensor;

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

namespace {

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

}  // namespace

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

}  // namespace proxytune::ops
