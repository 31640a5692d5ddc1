#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/network/unet.h"
#include "proxytune/training/optimizer.h"
#include "proxytune/trials/trial.h"

namespace proxytune::training {

/// How far a training is. Together with its key this says which random numbers come next.
struct Position {
  int epoch = 0;
  int step = 0;         // within the epoch, the next to do
  double loss_sum = 0;  // of the epoch's steps so far
  /// Dice of the first validation cases, once all steps are done.
  std::vector<double> scored;
};

/// What a training needs to go on, in the order in which it is kept. Restoring gives the same
/// bits as going on.
struct TrainingState {
  Position at;
  trials::TrialResult result;                 // curves, best score, seconds so far
  std::vector<network::NamedTensor> weights;  // with running moments
  std::vector<network::NamedTensor> best;     // of the best epoch; empty: none yet
  std::optional<Optimizer::State> optimizer;  // none once all epochs are over
};

std::string encode(const TrainingState& state);

/// Tensors get the names and shapes of `like`, a network's state. Throws core::DataError for
/// what encode() did not write for such a network.
TrainingState decode(const std::string& text, const std::vector<network::NamedTensor>& like);

}  // namespace proxytune::training
