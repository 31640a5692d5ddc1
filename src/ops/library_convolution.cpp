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

/// Where oneDNN has bfloat16 convolutions. Elsewhere LibTorch's own add up in bfloat16, to
/// errors of some per cent, and take longer than in float.
bool sums_bfloat16_in_float() {
#if defined(__x86_64__)
  static const bool does = __builtin_cpu_supports("avx512bw") != 0 &&
                           __builtin_cpu_supports("avx512vl") != 0 &&
                           __builtin_cpu_supports("avx512dq") != 0;
  return does;
#else
  return false;
#endif
}

torch::ScalarType computed_in(torch::ScalarType type, std::int64_t voxels, std::int64_t few) {
  return type == torch::kBFloat16 && (voxels <= few || !sums_bfloat16_in_float())
             ? torch::kFloat32
             : type;
}

}  // namespace

Tensor forward_library(const Tensor& input,
                       const Tensor& weight,
                       const MaybeTensor& bias,
                       std::int64_t stride,
                       bool transposed,
                       torch::ScalarType output,
                       std::int64_t /*kernels*/) {
  check_operands(input, weight, stride, transposed);
  const torch::ScalarType type = computed_in(output, voxels_of(input), few_for_forward);
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
  const torch::ScalarType type = computed_in(gradient.scalar_type(),
                                             std::min(voxels_of(gradient), voxels_of(input)),
                                             few_for_backward);
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
