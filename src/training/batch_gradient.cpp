#include "training/batch_gradient.h"

#include <algorithm>
#include <cmath>

#include "training/step.h"

namespace proxytune::training {
namespace {

std::span<float> gradients_of(const network::UNet& network) {
  const torch::Tensor& gradients = network.parameters().gradients;
  return {gradients.data_ptr<float>(), static_cast<std::size_t>(gradients.numel())};
}

/// Of float32 or float64, in place.
void sum_over_ranks(comm::DeviceCollectives& collectives, torch::Tensor& numbers) {
  const auto count = static_cast<std::size_t>(numbers.numel());
  if (numbers.scalar_type() == torch::kFloat64)
    collectives.sum(std::span(numbers.data_ptr<double>(), count));
  else
    collectives.sum(std::span(numbers.data_ptr<float>(), count));
}

/// `from` times `weight`; nothing to do where that is there already.
void put(std::span<const float> from, double weight, std::span<float> to) {
  const auto factor = static_cast<float>(weight);
  if (from.data() == to.data() && factor == 1)
    return;
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = factor * from[i];
}

}  // namespace

BatchGradient::BatchGradient(network::UNet& network, Team& team, const TrainingOptions& options)
    : network_(network),
      team_(team),
      options_(options),
      sum_(static_cast<std::size_t>(network.parameters().values.numel())) {}

Granules BatchGradient::cut_up(int patches) const {
  if (by_rank())
    return Granules::of_ranks(patches, team_.size());
  return Granules::of_patches(patches, patches_of_granule(options_), team_.size());
}

double BatchGradient::operator()(int patches, const Cut& cut) {
  const Granules granules = cut_up(patches);
  const bool together = network_.options().norm == network::Norm::batch && granules.count() > 1;
  const auto told = team_.share([&] {
    const torch::AutoGradMode with_gradients(true);
    std::vector<double> losses =
        together ? side_by_side(granules, cut) : one_by_one(granules, cut);
    if (team_.size() > 1 && !by_rank())
      sum_.prepare(granules, team_.rank());
    return losses;
  });
  double loss = 0;
  int granule = 0;
  for (const Team::Numbers& losses : told)
    for (const double of_granule : losses)
      loss += granules.weight(granule++) * of_granule;
  if (team_.size() == 1 || !std::isfinite(loss))
    return loss;
  if (!by_rank()) {
    sum_.combine(team_.collectives(), gradients_of(network_));
    return loss;
  }
  torch::Tensor total = network_.parameters().gradients;
  const int own = granules.first_of(team_.rank());
  if (own == granules.first_of(team_.rank() + 1))
    total.zero_();
  sum_over_ranks(team_.collectives(), total);
  return loss;
}

BatchGradient::Granule BatchGradient::granule(const Granules& granules,
                                              int index,
                                              int first_patch,
                                              const Patches& patches) {
  const auto begin = static_cast<std::size_t>(granules.first_patch(index) - first_patch);
  const int count = granules.first_patch(index + 1) - granules.first_patch(index);
  const Triple patch = reversed(options_.patch);
  const int channels = network_.options().in_channels;
  const std::size_t voxels = voxels_of(patch);
  const std::size_t values = voxels * static_cast<std::size_t>(channels);
  const auto size = static_cast<std::size_t>(count);
  return {index,
          channels_last(
              patches.images.subspan(begin * values, size * values), count, channels, patch)
              .to(network_.parameters().values.scalar_type()),
          patches.labels.subspan(begin * voxels, size * voxels)};
}

/// One after the other, so that memory holds one granule's activations.
std::vector<double> BatchGradient::one_by_one(const Granules& granules, const Cut& cut) {
  const int first = granules.first_of(team_.rank());
  const int end = granules.first_of(team_.rank() + 1);
  if (first == end) {
    follow_moments(granules, cut);
    return {};
  }
  const int first_patch = granules.first_patch(first);
  const Patches patches = cut(first_patch, granules.first_patch(end));
  std::vector<double> losses;
  const auto gradient = [&](int index, std::span<float> to) {
    const torch::Tensor value = loss(network_, granule(granules, index, first_patch, patches));
    losses.push_back(value.item<double>());
    // Of one that is not finite nothing is used.
    if (!std::isfinite(losses.back()))
      return;
    network_.backward(value);
    if (by_rank())
      network_.parameters().gradients.mul_(granules.weight(index));
    else
      put(gradients_of(network_), granules.weight(index), to);
  };
  if (by_rank())
    gradient(first, {});
  else
    sum_.compute(granules, team_.rank(), gradient, gradients_of(network_));
  return losses;
}

/// A rank without a granule keeps the running moments that those with one have: here, where
/// batch norm is not side by side, all of the batch's are in the only granule.
void BatchGradient::follow_moments(const Granules& granules, const Cut& cut) {
  if (network_.options().norm != network::Norm::batch)
    return;
  const torch::NoGradGuard without_gradients;
  loss(network_, granule(granules, 0, 0, cut(0, granules.first_patch(1))));
}

/// Batch norm's moments are the whole batch's: all granules come to each norm together.
std::vector<double> BatchGradient::side_by_side(const Granules& granules, const Cut& cut) {
  LockStep steps(team_, granules);
  const int first = steps.first();
  const int first_patch = granules.first_patch(first);
  const Patches patches = cut(first_patch, granules.first_patch(first + steps.count()));
  while (static_cast<int>(replicas_.size()) + 1 < steps.count())
    replicas_.push_back(network_.replica());
  const auto network = [&](int index) -> network::UNet& {
    return index == first ? network_ : replicas_[static_cast<std::size_t>(index - first - 1)];
  };
  // Whatever happens, no network keeps a seat that is gone.
  struct Seated {
    network::UNet& network;
    ~Seated() { network.set_batch_sums(nullptr); }
  };
  std::vector<double> losses(static_cast<std::size_t>(steps.count()));
  steps.run([&](int index, LockStep::Seat& seat) {
    const torch::AutoGradMode with_gradients(true);
    network::UNet& one = network(index);
    one.set_batch_sums(&seat);
    const Seated seated{one};
    const torch::Tensor value = loss(one, granule(granules, index, first_patch, patches));
    double& number = losses[static_cast<std::size_t>(index - first)];
    number = value.item<double>();
    // All or none go back, each with its weight: on the way gradients of all are added.
    if (std::isfinite(seat.sum({number}).front()))
      one.backward(value * granules.weight(index));
  });
  if (!steps.counts())
    return {};
  if (by_rank())
    return losses;
  const auto gradient = [&](int index, std::span<float> to) {
    put(gradients_of(network(index)), 1, to);
  };
  sum_.compute(granules, team_.rank(), gradient, gradients_of(network_));
  return losses;
}

torch::Tensor BatchGradient::loss(network::UNet& network, const Granule& granule) const {
  return batch_loss(network, options_.loss, granule.images, granule.labels);
}

}  // namespace proxytune::training
