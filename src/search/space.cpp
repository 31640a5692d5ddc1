#include "proxytune/search/space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::search {
namespace {

using trials::HyperParameters;

struct RealField {
  const char* name;
  double HyperParameters::*member;
};
constexpr RealField real_fields[] = {{"learning_rate", &HyperParameters::learning_rate},
                                     {"shift_probability", &HyperParameters::shift_probability},
                                     {"shift_offset", &HyperParameters::shift_offset}};
constexpr const char* optimizer_field = "optimizer";

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

double six_digits(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 5).ptr;
  double rounded = value;
  std::from_chars(text, end, rounded);
  return rounded;
}

double in_range(const Dimension& dimension, double unit) {
  if (unit <= 0)
    return dimension.low;
  if (unit >= 1)
    return dimension.high;
  const double exact =
      dimension.scale == Scale::linear
          ? dimension.low + unit * (dimension.high - dimension.low)
          : dimension.low * std::exp(unit * std::log(dimension.high / dimension.low));
  return std::clamp(six_digits(exact), dimension.low, dimension.high);
}

const RealField* real_field(const std::string& name) {
  const auto* found = std::find_if(std::begin(real_fields),
                                   std::end(real_fields),
                                   [&](const RealField& field) { return name == field.name; });
  return found == std::end(real_fields) ? nullptr : found;
}

[[noreturn]] void refuse_unknown(const std::string& name) {
  std::string known;
  for (const RealField& field : real_fields)
    known += std::string(field.name) + ", ";
  throw core::FieldError(
      "field",
      "is \"" + name + "\", but the hyper-parameters are: " + known + optimizer_field + ".");
}

trials::Optimizer optimizer_named(const std::string& name, const std::string& field) {
  try {
    return core::from_string<trials::Optimizer>(name);
  } catch (const std::invalid_argument&) {
    std::string known;
    for (const std::string& choice : core::choices<trials::Optimizer>())
      known += (known.empty() ? "" : ", ") + choice;
    throw core::FieldError(field,
                           "is \"" + name + "\", but the optimizers are: " + known + ".");
  }
}

void validate_choices(const Dimension& dimension) {
  if (dimension.choices.empty())
    throw core::FieldError("choices",
                           "is empty, but the optimizer is chosen from a list of names.");
  for (std::size_t i = 0; i < dimension.choices.size(); ++i) {
    const std::string field = "choices." + std::to_string(i);
    optimizer_named(dimension.choices[i], field);
    const auto here = dimension.choices.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(dimension.choices.begin(), here, *here) != here)
      throw core::FieldError(field, "is \"" + *here + "\" a second time. Leave one out.");
  }
}

void validate_end(const RealField& field, double value, const std::string& end) {
  HyperParameters hyper;
  hyper.*field.member = value;
  try {
    trials::validate(hyper);
  } catch (const core::FieldError& error) {
    throw core::FieldError(end, error.sentence());
  }
}

void validate_range(const Dimension& dimension, const RealField& field) {
  if (!dimension.choices.empty())
    throw core::FieldError(
        "choices",
        "is given, but " + dimension.field + " is a number. Give low and high instead.");
  validate_end(field, dimension.low, "low");
  validate_end(field, dimension.high, "high");
  if (!(dimension.low < dimension.high))
    throw core::FieldError("low",
                           "is " + shortest(dimension.low) + ", but must be below high, " +
                               shortest(dimension.high) +
                               ". To hold a hyper-parameter fixed, leave it out of the space.");
  if (dimension.scale == Scale::log && dimension.low <= 0)
    throw core::FieldError(
        "low",
        "is " + shortest(dimension.low) +
            ", but a log scale has no 0. Use a value above 0, or scale linear.");
}

}  // namespace

void validate(const Dimension& dimension) {
  if (dimension.field == optimizer_field)
    validate_choices(dimension);
  else if (const RealField* field = real_field(dimension.field))
    validate_range(dimension, *field);
  else
    refuse_unknown(dimension.field);
}

SearchSpace default_space() {
  return {{{.field = "learning_rate", .low = 1e-4, .high = 1e-3, .scale = Scale::log},
           {.field = "shift_probability", .low = 0, .high = 1, .scale = Scale::linear}}};
}

trials::HyperParameters at(const SearchSpace& space,
                           const trials::HyperParameters& base,
                           const std::vector<double>& unit_point) {
  if (unit_point.size() != space.dimensions.size())
    throw std::invalid_argument("a point of another space");
  HyperParameters hyper = base;
  for (std::size_t i = 0; i < unit_point.size(); ++i) {
    const Dimension& dimension = space.dimensions[i];
    if (dimension.field == optimizer_field) {
      const int choice = choice_at(unit_point[i], static_cast<int>(dimension.choices.size()));
      hyper.optimizer =
          optimizer_named(dimension.choices.at(static_cast<std::size_t>(choice)), "choices");
    } else if (const RealField* field = real_field(dimension.field)) {
      hyper.*field->member = in_range(dimension, unit_point[i]);
    } else {
      refuse_unknown(dimension.field);
    }
  }
  return hyper;
}

double unit_of_choice(int choice, int choices) {
  return (choice + 0.5) / choices;
}

int choice_at(double unit, int choices) {
  return std::clamp(static_cast<int>(std::floor(unit * choices)), 0, choices - 1);
}

}  // namespace proxytune::search
