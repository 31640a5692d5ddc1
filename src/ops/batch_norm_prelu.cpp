#include "proxytune/ops/batch_norm_prelu.h"

#include <tuple>

#include "ops/normalise_over_batch.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

constexpr double momentum = 0.1;  // PyTorch's default

/// The same channels-last memory with other samples and voxels along z.
Tensor divided(const Tensor& tensor, std::int64_t samples, std::int64_t z) {
  return tensor.permute({0, 2, 3, 4, 1})
      .reshape({samples, z, tensor.size(3), tensor.size(4), tensor.size(1)})
      .permute({0, 4, 1, 2, 3});
}

/// Normalised input, and of each channel the mean and 1 / sqrt(variance + epsilon), which are
/// of the parameters' type.
std::tuple<Tensor, Tensor, Tensor> normalised(const Tensor& one_sample,
                                              torch::ScalarType parameters,
                                              double epsilon) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("proxytune::instance_norm_prelu", "")
          .typed<std::tuple<Tensor, Tensor, Tensor>(
              const Tensor&, const Tensor&, const std::optional<Tensor>&, double)>();
  const Tensor no_slope = torch::ones({1}, one_sample.options().dtype(parameters));
  return operation.call(one_sample, no_slope, std::nullopt, epsilon);
}

/// Of the whole input, whose voxels are one sample's.
NormalOverBatch normal_of(const Tensor& input, torch::ScalarType parameters, double epsilon) {
  const auto [normal, mean, scale] = normalised(input, parameters, epsilon);
  return {normal, mean, scale, static_cast<double>(input.numel() / input.size(1))};
}

void move_running_moments(const BatchNorm& norm,
                          const Tensor& mean,
                          const Tensor& scale,
                          double values,
                          double epsilon) {
  const torch::NoGradGuard no_gradient;
  const Tensor variance = scale.reshape(-1).to(torch::kFloat64).pow(-2) - epsilon;
  Tensor(norm.running_mean).mul_(1 - momentum).add_(mean.reshape(-1), momentum);
  Tensor(norm.running_variance)
      .mul_(1 - momentum)
      .add_((variance * (values / (values - 1))).to(scale.scalar_type()), momentum);
}

}  // namespace

Tensor batch_norm_prelu(const Tensor& any_input,
                        const BatchNorm& norm,
                        const Tensor& slope,
                        const std::optional<Tensor>& residual,
                        double epsilon,
                        BatchSums* sums) {
  const Tensor input = channels_last(any_input);
  const std::int64_t samples = input.size(0);
  const std::int64_t z = input.size(2);
  const Tensor joined = divided(input, 1, samples * z);
  const auto [normal, mean, scale, values] =
      sums == nullptr ? normal_of(joined, slope.scalar_type(), epsilon)
                      : normalise_over_batch(joined, slope.scalar_type(), epsilon, *sums);
  if (norm.running_mean.defined())
    move_running_moments(norm, mean, scale, values, epsilon);
  // In the parameters' type throughout: rounded to the input's, a weight near 1 would lose what
  // it learns, and so would its gradient.
  const auto of_channels = [](const Tensor& tensor) { return tensor.view({1, -1, 1, 1, 1}); };
  const Tensor affine = torch::addcmul(
      of_channels(norm.bias), normal.to(slope.scalar_type()), of_channels(norm.weight));
  const Tensor active = divided(torch::prelu(affine, slope), samples, z);
  return (residual ? active + *residual : active).to(input.scalar_type());
}

}  // namespace proxytune::ops
