#include "jobs/trial_costs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "proxytune/training/sliding_window.h"

namespace proxytune::jobs {
namespace {

double product(const std::array<int, 3>& extents) {
  return static_cast<double>(extents[0]) * extents[1] * extents[2];
}

/// Voxels of all windows of sliding-window inference on one volume.
double voxels_in_windows(const imaging::Shape& shape,
                         const training::TrainingOptions& options) {
  const auto windows = [&](int image, int window) {
    return static_cast<double>(training::window_starts(image, window, options.overlap).size());
  };
  const std::array<int, 3>& window = options.window;
  return windows(shape.x, window[0]) * windows(shape.y, window[1]) *
         windows(shape.z, window[2]) * product(window);
}

/// Of a voxel's way through the network: memory traffic grows with the channels of a level,
/// products with their square, and each level has an eighth of the voxels.
double width(const network::UNetOptions& network) {
  double sum = 0;
  double channels = network.channels;
  double share = 1;
  for (int level = 0; level < network.levels; ++level) {
    sum += share * (1 + network.residual_units) * channels * (1 + channels / 16);
    channels *= 2;
    share /= 8;
  }
  return sum;
}

}  // namespace

TrialCosts::TrialCosts(const training::TrainingOptions& options, const PreparedData& data) {
  for (const Cases* cases : {&data.internal, &data.external})
    for (int i = 0; i < cases->size(); ++i)
      window_voxels_[cases->at(i).key] = voxels_in_windows(cases->at(i).image.shape, options);
}

double TrialCosts::window_voxels(const std::vector<std::string>& keys) const {
  double sum = 0;
  for (const std::string& key : keys)
    sum += window_voxels_.at(key);
  return sum;
}

double TrialCosts::units(const trials::TrialSpec& spec,
                         const training::TrainingOptions& options,
                         const network::UNetOptions& network) const {
  const double validations =
      std::ceil(static_cast<double>(options.epochs) / options.validate_every);
  const double patches =
      static_cast<double>(spec.training_cases.size()) * options.patches_per_case;
  const double voxels = options.epochs * patches * product(options.patch) * 3 +
                        validations * window_voxels(spec.validation_cases) +
                        window_voxels(spec.external_cases);
  return voxels * width(network);
}

void TrialCosts::learn(const work::Item& item, const trials::TrialResult& result) {
  if (result.status != trials::TrialStatus::completed || item.expected_cost <= 0)
    return;
  for (Measured* measured : {&measured_[item.what.text("network")], &all_}) {
    measured->seconds += result.seconds;
    measured->units += item.expected_cost;
  }
}

double TrialCosts::expected(const std::string& network, double units) const {
  const auto found = measured_.find(network);
  const Measured& known = found != measured_.end() ? found->second : all_;
  return known.units > 0 ? units * known.seconds / known.units : units;
}

}  // namespace proxytune::jobs
