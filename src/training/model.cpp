#include <string>

#include "proxytune/core/error.h"
#include "proxytune/network/weights_file.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace proxytune::training {
namespace {

imaging::LabelVolume infer(network::UNet& network,
                           const imaging::VolumeView& image,
                           const TrainingOptions& options,
                           const std::atomic<bool>& stop) {
  if (image.channels != network.options().in_channels)
    throw core::DataError("the image has " + std::to_string(image.channels) +
                          " channels, but the network takes " +
                          std::to_string(network.options().in_channels) +
                          ". Choose the channels that it was trained with.");
  network::check_patch(network.options(), reversed(options.window), "training.window");
  const FlushDenormals flush;
  const WindowPredictor predict = predictor(network, options);
  return sliding_window_inference(image,
                                  network.options().out_channels,
                                  options,
                                  [&](int count, std::span<const float> windows) {
                                    stop_if_asked(stop);
                                    return predict(count, windows);
                                  });
}

}  // namespace

trials::CaseScores score_cases(network::UNet& network,
                               const datasets::CaseSource& cases,
                               std::span<const int> indices,
                               const TrainingOptions& options,
                               const std::atomic<bool>& stop) {
  const int classes = network.options().out_channels;
  trials::CaseScores scores;
  scores.classes = classes - 1;
  for (const int index : indices) {
    const datasets::PreparedCase one = cases.at(index);
    const imaging::LabelVolume prediction = infer(network, one.image, options, stop);
    const std::vector<double> dice = dice_scores(prediction.voxels, one.label.voxels, classes);
    scores.dice.insert(scores.dice.end(), dice.begin(), dice.end());
  }
  return scores;
}

Model Model::load(const network::UNetOptions& options,
                  const std::filesystem::path& weights,
                  network::Precision precision) {
  network::UNet network(options);
  network.set_precision(precision);
  network::load_state(network, network::load_weights(weights), weights.string());
  return Model(std::make_shared<State>(std::move(network)));
}

void Model::save(const std::filesystem::path& weights) const {
  network::save_weights(weights, state_->network.state());
}

imaging::LabelVolume Model::predict(const imaging::VolumeView& image,
                                    const TrainingOptions& options) const {
  return infer(state_->network, image, options, false);
}

trials::CaseScores Model::score(const datasets::CaseSource& cases,
                                const std::vector<int>& indices,
                                const TrainingOptions& options,
                                const std::atomic<bool>& stop) const {
  return score_cases(state_->network, cases, indices, options, stop);
}

}  // namespace proxytune::training
