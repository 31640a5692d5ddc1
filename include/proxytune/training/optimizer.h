#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "proxytune/trials/trial.h"

namespace proxytune::training {

/// One parameter tensor in the flat buffers.
struct ParameterRange {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// Adam, RMSprop and Adamax as in torch.optim, Novograd as in MONAI, all with those libraries'
/// defaults, as passes over the flat buffers of parameters and gradients.
class Optimizer {
 public:
  /// What the next step depends on beside the gradients.
  struct State {
    std::int64_t steps = 0;
    std::vector<float> first;   // moment, unused by RMSprop
    std::vector<float> second;  // moment; Novograd's has one value a tensor
  };

  /// How the learning rate depends on the step: `factor` times what it is, reached in so many
  /// equal parts.
  struct Schedule {
    double factor = 1;
    std::int64_t warmup_steps = 0;
  };

  /// Novograd has one norm for each of `tensors`; the others do not look at them.
  /// `weight_decay` times the parameters is added to the gradient (Adam, RMSprop, Adamax), or
  /// to the normalised gradient (Novograd).
  Optimizer(trials::Optimizer kind,
            double learning_rate,
            std::vector<ParameterRange> tensors,
            double weight_decay = 0,
            Schedule schedule = {1, 0});

  void step(std::span<float> values, std::span<const float> gradients);

  const State& state() const { return state_; }
  /// Throws core::DataError for the state of another optimizer or of another network.
  void restore(State state);

 private:
  trials::Optimizer kind_;
  double learning_rate_;
  double weight_decay_;
  Schedule schedule_;
  std::vector<ParameterRange> tensors_;
  State state_;
};

}  // namespace proxytune::training
