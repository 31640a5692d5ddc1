#pragma once

#include <utility>
#include <vector>

#include <ATen/Parallel.h>

#include "ops/convolution_operands.h"
#include "ops/narrow_convolution.h"
#include "proxytune/ops/convolution.h"

// Our kernels on tensors.
namespace proxytune::ops {

const ProductKernels* kernels_for(Arithmetic arithmetic);
Arithmetic arithmetic_of(ConvolutionKernels own);

bool fits_own_kernels(Arithmetic arithmetic,
                      const torch::Tensor& input,
                      const torch::Tensor& weight,
                      std::int64_t stride,
                      bool transposed);

/// Our kernels write by pointers: what they are handed must be what they take it for.
inline bool is_written_by_ours(torch::ScalarType type) {
  return type == torch::kFloat32 || type == torch::kBFloat16;
}

/// One convolution as our kernels see it, whichever way it is passed through.
struct Own {
  Arithmetic arithmetic;
  Relation forward, backward;
  Lattice lattice;  // of the coarse side

  Own(Arithmetic computed_in, const torch::Tensor& input, std::int64_t stride, bool transposed)
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

/// Sample n of a dense channels-last tensor, or of several as if their channels were one's.
Sample sample_of(const torch::Tensor& tensor, std::int64_t n, bool fine);
Samples sample_of(const std::vector<torch::Tensor>& tensors, std::int64_t n, bool fine);
Target target_of(const torch::Tensor& tensor, std::int64_t n, bool fine);
Targets target_of(const std::vector<torch::Tensor>& tensors, std::int64_t n, bool fine);

torch::Tensor empty_channels_last(c10::IntArrayRef sizes, torch::ScalarType type);

/// weight: (out, in, ...) of the direction it is applied in.
ShiftedConvolution shifted_convolution(const Own& own,
                                       Relation relation,
                                       const torch::Tensor& weight,
                                       const MaybeTensor& bias);

/// From the output's gradient to the input's.
ShiftedConvolution backward_convolution(const Own& own, const torch::Tensor& weight);

/// Calls with each sample's number.
template <class Call>
void for_each_sample(const torch::Tensor& of, const Call& call) {
  at::parallel_for(0, of.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      call(n);
  });
}

/// Each sample's sums by themselves, so that they do not depend on threads.
using SumsOfSamples = std::vector<std::vector<double>>;

/// In the weight's shape, float32.
torch::Tensor total(const SumsOfSamples& sums, const torch::Tensor& weight);

/// Whether convolution() leaves both passes of this one to our kernels in float32.
bool is_left_to_own_float32(const torch::Tensor& input,
                            const torch::Tensor& weight,
                            std::int64_t stride,
                            bool transposed);

torch::Tensor forward_own(Arithmetic arithmetic,
                          const torch::Tensor& input,
                          const torch::Tensor& weight,
                          const MaybeTensor& bias,
                          std::int64_t stride,
                          bool transposed,
                          torch::ScalarType type);

/// The gradients of input and weight that are wanted, of channels-last operands. `gradient` is
/// one tensor or, in float32 arithmetic, several joint ones.
std::pair<torch::Tensor, torch::Tensor> gradients_own(
    const Own& own,
    const std::vector<torch::Tensor>& gradient,
    const torch::Tensor& input,
    const torch::Tensor& weight,
    const Wanted& wanted);

torch::Tensor bias_gradient_own(const torch::Tensor& gradient);

}  // namespace proxytune::ops
