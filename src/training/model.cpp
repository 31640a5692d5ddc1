#include <string>

#include "proxytune/network/weights_file.h"
#include "training/scoring.h"
#include "training/step.h"

namespace proxytune::training {
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
  Team alone;
  return infer(state_->network, alone, image, options, false);
}

trials::CaseScores Model::score(const datasets::CaseSource& cases,
                                const std::vector<int>& indices,
                                const TrainingOptions& options,
                                const std::atomic<bool>& stop,
                                Team* team) const {
  Team alone;
  return score_cases(
      state_->network, team == nullptr ? alone : *team, cases, indices, options, stop);
}

}  // namespace proxytune::training
