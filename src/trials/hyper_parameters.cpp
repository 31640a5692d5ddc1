#include <charconv>
#include <cmath>
#include <string>

#include "proxytune/core/error.h"
#include "proxytune/trials/trial.h"

namespace proxytune::trials {
namespace {

std::string shortest(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

}  // namespace

void validate(const HyperParameters& hyper) {
  if (!(hyper.learning_rate > 0) || !std::isfinite(hyper.learning_rate))
    throw core::FieldError("learning_rate",
                           "is " + shortest(hyper.learning_rate) +
                               ", but a step needs a finite rate above 0. The paper uses 1e-4 "
                               "to 1e-3.");
  if (!(hyper.shift_probability >= 0 && hyper.shift_probability <= 1))
    throw core::FieldError("shift_probability",
                           "is " + shortest(hyper.shift_probability) +
                               ", but a probability lies between 0 and 1.");
  if (!(hyper.shift_offset >= 0) || !std::isfinite(hyper.shift_offset))
    throw core::FieldError(
        "shift_offset",
        "is " + shortest(hyper.shift_offset) +
            ", but the shift is drawn from [-offset, offset]. Use 0 or more; "
            "the paper uses 0.1.");
}

}  // namespace proxytune::trials
