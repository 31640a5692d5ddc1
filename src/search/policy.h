#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "proxytune/core/random.h"

namespace proxytune::search {

/// One number a dimension. Of a range: in units of the range around its centre, so that the
/// range is [-0.5, 0.5]; a sample may lie outside. Of choices: the number of the choice.
using Action = std::vector<double>;

/// What the policy looks back on: the strategy reported last, and how good it was.
struct Context {
  Action previous;
  double advantage = 0;
};

/// The recurrent controller's network: one LSTM cell, one step a dimension. A step sees what
/// this strategy has chosen so far (through the state, and its last choice), what the previous
/// strategy chose here, and how good that was; its head gives the mean and the log standard
/// deviation of a Gaussian, or the logits of the choices. Heads start at zero: whatever it
/// looks back on, a new policy is centred and uniform. All numbers are doubles; its parameters
/// are one flat vector. Random numbers are the caller's.
class Policy {
 public:
  /// `choices` of each dimension, 0 for a range; `spread` is the first standard deviation.
  Policy(std::vector<int> choices, int hidden, double spread, const core::RandomKey& key);

  const std::vector<double>& parameters() const { return parameters_; }
  std::vector<double>& parameters() { return parameters_; }

  Action sample(const Context& context, core::Random& random) const;
  /// Means, and the likeliest choices.
  Action mode(const Context& context) const;

  /// Log probability (density) of an action.
  double log_probability(const Context& context, const Action& action) const;

  /// Of an action: its log probability (density), the policy's entropy at the states that it
  /// leads through, and both gradients by the parameters.
  struct Score {
    double log_probability = 0;
    double entropy = 0;
    std::vector<double> log_probability_gradient;
    std::vector<double> entropy_gradient;
  };
  Score score(const Context& context, const Action& action) const;

 private:
  struct Network;
  friend struct Network;
  std::vector<int> choices_;
  int hidden_;
  double spread_;
  std::vector<double> parameters_;
};

}  // namespace proxytune::search
