#include "training/scoring.h"

#include <algorithm>
#include <string>
#include <vector>

#include "proxytune/core/error.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace proxytune::training {
namespace {

int batches_of(int windows, const TrainingOptions& options) {
  return (windows + options.windows_per_step - 1) / options.windows_per_step;
}

/// Batches of windows that inference on this image takes.
int batches_of(const imaging::VolumeView& image, const TrainingOptions& options) {
  const auto starts = [&](int extent, int axis) {
    return static_cast<int>(
        window_starts(extent, options.window[static_cast<std::size_t>(axis)], options.overlap)
            .size());
  };
  return batches_of(
      starts(image.shape.x, 0) * starts(image.shape.y, 1) * starts(image.shape.z, 2), options);
}

/// Logits of as many batches of windows as the team has ranks: each computes one, cut as one
/// rank alone would, and has them all.
class SharedPredictor {
 public:
  SharedPredictor(network::UNet& network,
                  Team& team,
                  const TrainingOptions& options,
                  const std::atomic<bool>& stop)
      : predict_(predictor(network, options)),
        team_(team),
        options_(options),
        values_a_window_(voxels_of(reversed(options.window)) *
                         static_cast<std::size_t>(network.options().in_channels)),
        logits_a_window_(voxels_of(reversed(options.window)) *
                         static_cast<std::size_t>(network.options().out_channels)),
        stop_(stop) {}

  std::span<const float> operator()(int count, std::span<const float> windows) {
    if (team_.size() == 1) {
      stop_if_asked(stop_);
      return predict_(count, windows);
    }
    logits_.resize(static_cast<std::size_t>(count) * logits_a_window_);
    const auto first = [&](int rank) {
      return static_cast<std::size_t>(std::min(count, rank * options_.windows_per_step));
    };
    team_.together([&] {
      stop_if_asked(stop_);
      const std::size_t begin = first(team_.rank());
      const std::size_t mine = first(team_.rank() + 1) - begin;
      if (mine == 0)
        return;
      const auto logits =
          predict_(static_cast<int>(mine),
                   windows.subspan(begin * values_a_window_, mine * values_a_window_));
      std::ranges::copy(
          logits, logits_.begin() + static_cast<std::ptrdiff_t>(begin * logits_a_window_));
    });
    std::vector<std::size_t> bounds;
    for (int rank = 0; rank <= team_.size(); ++rank)
      bounds.push_back(first(rank) * logits_a_window_);
    team_.collectives().gather(logits_, bounds);
    return logits_;
  }

 private:
  WindowPredictor predict_;
  Team& team_;
  const TrainingOptions& options_;
  std::size_t values_a_window_;
  std::size_t logits_a_window_;
  const std::atomic<bool>& stop_;
  std::vector<float> logits_;
};

std::vector<double> dice_of(network::UNet& network,
                            Team& team,
                            const datasets::PreparedCase& one,
                            const TrainingOptions& options,
                            const std::atomic<bool>& stop) {
  const imaging::LabelVolume prediction = infer(network, team, one.image, options, stop);
  return dice_scores(prediction.voxels, one.label.voxels, network.options().out_channels);
}

/// Whether a case a rank takes no more batches of windows than all ranks at each case.
bool by_case_is_sooner(const std::vector<datasets::PreparedCase>& round,
                       int ranks,
                       const TrainingOptions& options) {
  int longest = 0;
  int one_by_one = 0;
  for (const datasets::PreparedCase& one : round) {
    const int batches = batches_of(one.image, options);
    longest = std::max(longest, batches);
    one_by_one += (batches + ranks - 1) / ranks;
  }
  return longest <= one_by_one;
}

}  // namespace

imaging::LabelVolume infer(network::UNet& network,
                           Team& team,
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
  SharedPredictor predict(network, team, options, stop);
  TrainingOptions at_once = options;
  at_once.windows_per_step *= team.size();
  return sliding_window_inference(
      image,
      network.options().out_channels,
      at_once,
      [&](int count, std::span<const float> windows) { return predict(count, windows); });
}

trials::CaseScores score_cases(network::UNet& network,
                               Team& team,
                               const datasets::CaseSource& cases,
                               std::span<const int> indices,
                               const TrainingOptions& options,
                               const std::atomic<bool>& stop) {
  trials::CaseScores scores;
  scores.classes = network.options().out_channels - 1;
  const auto keep = [&](const std::vector<double>& dice) {
    scores.dice.insert(scores.dice.end(), dice.begin(), dice.end());
  };
  Team alone;
  while (!indices.empty()) {
    const std::size_t count = std::min(indices.size(), static_cast<std::size_t>(team.size()));
    std::vector<datasets::PreparedCase> round;
    for (const int index : indices.first(count))
      round.push_back(cases.at(index));
    indices = indices.subspan(count);
    if (!by_case_is_sooner(round, team.size(), options)) {
      for (const datasets::PreparedCase& one : round)
        keep(dice_of(network, team, one, options, stop));
      continue;
    }
    const auto rank = static_cast<std::size_t>(team.rank());
    for (const Team::Numbers& dice : team.share([&] {
           return rank < round.size() ? dice_of(network, alone, round[rank], options, stop)
                                      : std::vector<double>();
         }))
      keep(dice);
  }
  return scores;
}

}  // namespace proxytune::training
