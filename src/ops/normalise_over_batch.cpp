#include "ops/normalise_over_batch.h"

#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>

#include "ops/refuse_double_backward.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;
using Sums = std::vector<double>;

/// Adds term(voxel's value, channel) up over all voxels: rows of `channels` values.
template <class T, class Term>
void add_up(const T* values, std::int64_t rows, Sums& sums, const Term& term) {
  const std::size_t channels = sums.size();
  for (std::int64_t row = 0; row < rows; ++row, values += channels)
    for (std::size_t c = 0; c < channels; ++c)
      sums[c] += term(static_cast<double>(values[c]), c);
}

template <class Term>
Sums sums_of(const Tensor& channels_last, const Term& term) {
  Sums sums(static_cast<std::size_t>(channels_last.size(1)), 0.0);
  const std::int64_t rows = channels_last.numel() / channels_last.size(1);
  AT_DISPATCH_FLOATING_TYPES(channels_last.scalar_type(), "sums_of_channels", [&] {
    add_up(channels_last.const_data_ptr<scalar_t>(), rows, sums, term);
  });
  return sums;
}

Tensor of_channels(const Sums& numbers, const Tensor& like) {
  return torch::tensor(at::ArrayRef<double>(numbers), torch::kFloat64)
      .to(like.scalar_type())
      .view({1, -1, 1, 1, 1});
}

/// Sums of two kinds: what the gradient's, and its products' with the normal values, are.
std::pair<Sums, Sums> sums_with_normal(const Tensor& gradient, const Tensor& normal) {
  Sums plain = sums_of(gradient, [](double g, std::size_t) { return g; });
  Sums products = sums_of(gradient * normal, [](double g, std::size_t) { return g; });
  return {std::move(plain), std::move(products)};
}

class NormaliseOverBatch : public torch::autograd::Function<NormaliseOverBatch> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& part,
                                                double epsilon,
                                                std::int64_t sums_address) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto& sums = *std::bit_cast<BatchSums*>(sums_address);
    const std::int64_t channels = part.size(1);
    Sums totals = sums_of(part, [](double x, std::size_t) { return x; });
    const std::int64_t voxels = part.numel() / channels;
    totals.push_back(static_cast<double>(voxels));
    totals = sums.sum(totals);
    const double values = totals.back();
    totals.pop_back();
    Sums mean = totals;
    for (double& m : mean)
      m /= values;
    Sums scale = sums.sum(
        sums_of(part, [&](double x, std::size_t c) { return (x - mean[c]) * (x - mean[c]); }));
    for (double& s : scale)
      s = 1 / std::sqrt(s / values + epsilon);
    const Tensor mean_of_channels = of_channels(mean, part);
    const Tensor scale_of_channels = of_channels(scale, part);
    const Tensor normal = (part - mean_of_channels) * scale_of_channels;
    context->save_for_backward({normal, scale_of_channels});
    context->saved_data["sums"] = sums_address;
    context->saved_data["values"] = values;
    const Tensor count = torch::full({}, values, torch::kFloat64);
    context->mark_non_differentiable({mean_of_channels, scale_of_channels, count});
    return {normal, mean_of_channels, scale_of_channels, count};
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("normalise_over_batch");
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Tensor& normal = saved[0];
    const Tensor& scale = saved[1];
    auto& sums = *std::bit_cast<BatchSums*>(context->saved_data["sums"].toInt());
    const double values = context->saved_data["values"].toDouble();
    const Tensor gradient = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast3d);
    auto [plain, products] = sums_with_normal(gradient, normal);
    const std::size_t channels = plain.size();
    plain.insert(plain.end(), products.begin(), products.end());
    Sums all = sums.sum(plain);
    for (double& sum : all)
      sum /= values;
    const Sums mean_plain(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(channels));
    const Sums mean_product(all.begin() + static_cast<std::ptrdiff_t>(channels), all.end());
    return {(gradient - of_channels(mean_plain, normal) -
             normal * of_channels(mean_product, normal)) *
                scale,
            Tensor(),
            Tensor()};
  }
};

}  // namespace

NormalOverBatch normalise_over_batch(const Tensor& part,
                                     torch::ScalarType parameters,
                                     double epsilon,
                                     BatchSums& sums) {
  const auto outputs = NormaliseOverBatch::apply(
      part.to(parameters), epsilon, std::bit_cast<std::int64_t>(&sums));
  return {
      outputs[0], outputs[1].reshape(-1), outputs[2].reshape(-1), outputs[3].item<double>()};
}

}  // namespace proxytune::ops
