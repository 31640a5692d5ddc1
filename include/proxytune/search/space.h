#pragma once

#include <span>
#include <string>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/trials/trial.h"

namespace proxytune::search {

enum class Scale { linear, log };
inline constexpr core::Name<Scale> names_of_scale[] = {{Scale::linear, "linear"},
                                                       {Scale::log, "log"}};
constexpr std::span<const core::Name<Scale>> names(Scale) {
  return names_of_scale;
}

/// One hyper-parameter that is searched: a range, or a list of choices.
struct Dimension {
  std::string field;  // of trials::HyperParameters
  double low = 0;
  double high = 1;
  Scale scale = Scale::linear;
  std::vector<std::string> choices{};  // of a categorical field; empty for a range
};

template <class Fields>
void describe(Fields& fields, Dimension& dimension) {
  fields(
      "field", dimension.field, "learning_rate, shift_probability, shift_offset or optimizer");
  fields("low", dimension.low, "lower end of a range, in the field's unit");
  fields("high", dimension.high, "upper end of a range, in the field's unit");
  fields("scale",
         dimension.scale,
         "how a range is walked; Clara Train walks the learning rate linearly too");
  fields(
      "choices", dimension.choices, "names to choose from, for the optimizer; empty otherwise");
}

/// Throws core::FieldError.
void validate(const Dimension& dimension);

struct SearchSpace {
  std::vector<Dimension> dimensions;
};

/// The paper's, with the ranges of Clara Train's shipped example: learning rate in [1e-4, 1e-3]
/// on a log scale, intensity-shift probability in [0, 1].
SearchSpace default_space();

/// Hyper-parameters at a point of [0,1]^d: `base` with the space's fields replaced. 0 and 1 are
/// exactly a range's ends; in between, values have six significant digits, so that a study goes
/// on with the same trials where a library's exp() differs in the last bit. A choice is the
/// floor of coordinate x number of choices. Throws core::FieldError for a field that
/// HyperParameters does not have.
trials::HyperParameters at(const SearchSpace& space,
                           const trials::HyperParameters& base,
                           const std::vector<double>& unit_point);

/// The coordinate in the middle of a choice's interval.
double unit_of_choice(int choice, int choices);
/// The choice that a coordinate means.
int choice_at(double unit, int choices);

}  // namespace proxytune::search
