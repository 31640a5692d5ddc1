#include "proxytune/trials/sweep.h"

#include <algorithm>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::trials {
namespace {

template <class T>
void refuse_empty_or_repeated(const std::string& field, const std::vector<T>& values) {
  if (values.empty())
    throw core::FieldError(field,
                           "is empty, so the sweep would have no trial. Give one or more.");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i))
      throw core::FieldError(
          field + "." + std::to_string(i),
          "is in the list twice, which would be the same trial. Leave one out; "
          "more trials of each point come from repeats.");
}

}  // namespace

void validate(const SweepOptions& options) {
  refuse_empty_or_repeated("optimizers", options.optimizers);
  refuse_empty_or_repeated("learning_rates", options.learning_rates);
  for (std::size_t i = 0; i < options.learning_rates.size(); ++i) {
    try {
      validate(HyperParameters{.learning_rate = options.learning_rates[i]});
    } catch (const core::FieldError& error) {
      throw core::FieldError("learning_rates." + std::to_string(i), error.sentence());
    }
  }
  if (options.repeats < 1)
    throw core::FieldError(
        "repeats",
        "is " + std::to_string(options.repeats) +
            ", but every grid point is tried at least once. The paper uses 7.");
  validate(HyperParameters{.shift_probability = options.shift_probability,
                           .shift_offset = options.shift_offset,
                           .weight_decay = options.weight_decay});
}

std::vector<HyperParameters> sweep_grid(const SweepOptions& options) {
  std::vector<HyperParameters> grid;
  for (const Optimizer optimizer : options.optimizers)
    for (const double learning_rate : options.learning_rates)
      grid.push_back({.optimizer = optimizer,
                      .learning_rate = learning_rate,
                      .shift_probability = options.shift_probability,
                      .shift_offset = options.shift_offset,
                      .weight_decay = options.weight_decay});
  return grid;
}

}  // namespace proxytune::trials
