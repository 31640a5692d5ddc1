#include "proxytune/training/options.h"

#include <cmath>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::training {
namespace {

std::string text(double number) {
  std::string digits = std::to_string(number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.')
    digits.pop_back();
  return digits;
}

void at_least_one(const std::string& field, int value, const std::string& reason) {
  if (value < 1)
    throw core::FieldError(
        field, "is " + std::to_string(value) + ", but " + reason + ". Use 1 or more.");
}

void positive_extents(const std::string& field, const std::array<int, 3>& extents) {
  for (const int extent : extents)
    if (extent < 1)
      throw core::FieldError(field,
                             "has the extent " + std::to_string(extent) +
                                 ", but each of x, y, z is a number of voxels. Use 1 or more.");
}

}  // namespace

void validate(const TrainingOptions& options) {
  at_least_one("epochs", options.epochs, "a training passes over its cases at least once");
  at_least_one("validate_every", options.validate_every, "it counts epochs");
  at_least_one("cases_per_step", options.cases_per_step, "a step needs a case");
  at_least_one("patches_per_case", options.patches_per_case, "a case gives patches to a step");
  at_least_one("scaling_patches", options.scaling_patches, "it counts patches");
  if (options.warmup_steps < 0)
    throw core::FieldError(
        "warmup_steps",
        "is " + std::to_string(options.warmup_steps) + ", but it counts steps. Use 0 or more.");
  if (options.granule < 0)
    throw core::FieldError(
        "granule",
        "is " + std::to_string(options.granule) +
            ", but it counts patches. Use 1 or more, or 0 for as few as have "
            "half a million voxels.");
  at_least_one("windows_per_step", options.windows_per_step, "inference needs a window");
  positive_extents("patch", options.patch);
  positive_extents("window", options.window);
  if (!(options.foreground_ratio >= 0 && options.foreground_ratio <= 1))
    throw core::FieldError(
        "foreground_ratio",
        "is " + text(options.foreground_ratio) + ", but it is a probability. Use 0 to 1.");
  if (!(options.overlap >= 0 && options.overlap < 1))
    throw core::FieldError("overlap",
                           "is " + text(options.overlap) +
                               ", but windows must move on. Use 0 to below 1, e.g. 0.25.");
}

double learning_rate_factor(const TrainingOptions& options) {
  const double ratio = static_cast<double>(patches_of_step(options)) / options.scaling_patches;
  switch (options.learning_rate_scaling) {
    case LearningRateScaling::linear:
      return ratio;
    case LearningRateScaling::square_root:
      return std::sqrt(ratio);
    default:
      return 1;
  }
}

int patches_of_granule(const TrainingOptions& options) {
  if (options.granule > 0)
    return options.granule;
  constexpr long long voxels = 1LL << 19;
  long long patch = 1;
  for (const int extent : options.patch)
    patch *= extent;
  return static_cast<int>((voxels + patch - 1) / patch);
}

}  // namespace proxytune::training
