#pragma once

#include <vector>

#include "proxytune/trials/hyper_parameters.h"

namespace proxytune::trials {

/// The grid of the paper's section 4.2: every optimizer at every learning rate, each repeated
/// with another split and other initial weights.
struct SweepOptions {
  std::vector<Optimizer> optimizers{
      Optimizer::adam, Optimizer::rmsprop, Optimizer::adamax, Optimizer::novograd};
  std::vector<double> learning_rates{1e-3, 6e-4, 4e-4, 1e-4};
  int repeats = 7;
  double shift_probability = 0.5;
  double shift_offset = 0.1;
  double weight_decay = 0;
};

template <class Fields>
void describe(Fields& fields, SweepOptions& options) {
  fields("optimizers", options.optimizers, "optimizers of the grid");
  fields("learning_rates", options.learning_rates, "learning rates of the grid, above 0");
  fields("repeats",
         options.repeats,
         "trials of each grid point, every one with its own split and initial weights");
  fields(
      "shift_probability",
      options.shift_probability,
      "probability that a patch's intensities are shifted, 0 to 1; the same all over the grid");
  fields("shift_offset",
         options.shift_offset,
         "a shift is uniform in [-offset, offset]; the same all over the grid");
  fields("weight_decay", options.weight_decay, "weight decay, the same all over the grid");
}

/// Throws core::FieldError.
void validate(const SweepOptions& options);

/// The grid's points without repeats, optimizer by optimizer in the order given.
std::vector<HyperParameters> sweep_grid(const SweepOptions& options);

}  // namespace proxytune::trials
