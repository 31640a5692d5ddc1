#include "proxytune/search/space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "proxytune/core/error.h"
#include "search/space_fields.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;

double six_digits(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 5).ptr;
  double rounded = value;
  std::from_chars(text, end, rounded);
  return rounded;
}

/// Of whole numbers, half a step beyond: so the ends are as likely as the others.
struct Ends {
  double low, high;
};
Ends ends_of(const Dimension& dimension) {
  const double beyond = dimension.kind == ValueKind::whole_number ? 0.5 : 0;
  return {dimension.low - beyond, dimension.high + beyond};
}

double walked(const Dimension& dimension, double unit) {
  const auto [low, high] = ends_of(dimension);
  return dimension.scale == Scale::linear ? low + unit * (high - low)
                                          : low * std::exp(unit * std::log(high / low));
}

double in_range(const Dimension& dimension, double unit) {
  if (unit <= 0)
    return dimension.low;
  if (unit >= 1)
    return dimension.high;
  const double exact = walked(dimension, unit);
  return std::clamp(
      dimension.kind == ValueKind::whole_number ? std::round(exact) : six_digits(exact),
      dimension.low,
      dimension.high);
}

FieldValue value_at(const Dimension& dimension, double unit) {
  if (!dimension.choices.empty()) {
    const int choice = choice_at(unit, static_cast<int>(dimension.choices.size()));
    return value_from(dimension.choices.at(static_cast<std::size_t>(choice)),
                      kind_of(dimension));
  }
  const double value = in_range(dimension, unit);
  if (dimension.kind == ValueKind::whole_number)
    return static_cast<std::int64_t>(value);
  return value;
}

bool holds(const Condition& condition, const Dimension& other, const HyperParameters& hyper) {
  const std::optional<FieldValue> value = trials::value_of(hyper, condition.field);
  return value &&
         std::any_of(condition.is.begin(), condition.is.end(), [&](const std::string& choice) {
           return same_value(value_from(choice, kind_of(other)), *value);
         });
}

/// Whether this dimension is there, which may hang on another one being there.
bool is_active(const SearchSpace& space, const HyperParameters& hyper, std::size_t i) {
  const std::optional<Condition>& condition = space.dimensions[i].when;
  if (!condition)
    return true;
  const std::size_t other = position_of(space.dimensions, condition->field);
  return other < space.dimensions.size() && is_active(space, hyper, other) &&
         holds(*condition, space.dimensions[other], hyper);
}

}  // namespace

SearchSpace default_space() {
  return {{{.field = "learning_rate", .low = 1e-4, .high = 1e-3, .scale = Scale::log},
           {.field = "shift_probability", .low = 0, .high = 1, .scale = Scale::linear}}};
}

HyperParameters at(const SearchSpace& space,
                   const HyperParameters& base,
                   const std::vector<double>& unit_point) {
  if (unit_point.size() != space.dimensions.size())
    throw std::invalid_argument("a point of another space");
  HyperParameters everything = base;
  for (std::size_t i = 0; i < unit_point.size(); ++i)
    set_value(
        everything, space.dimensions[i].field, value_at(space.dimensions[i], unit_point[i]));
  HyperParameters hyper = base;
  for (std::size_t i = 0; i < unit_point.size(); ++i)
    if (is_active(space, everything, i))
      set_value(hyper,
                space.dimensions[i].field,
                *trials::value_of(everything, space.dimensions[i].field));
  return hyper;
}

std::vector<bool> active(const SearchSpace& space, const HyperParameters& hyper) {
  std::vector<bool> result;
  for (std::size_t i = 0; i < space.dimensions.size(); ++i)
    result.push_back(is_active(space, hyper, i));
  return result;
}

std::optional<double> unit_of(const Dimension& dimension, const FieldValue& value) {
  if (!dimension.choices.empty()) {
    for (std::size_t i = 0; i < dimension.choices.size(); ++i)
      if (same_value(value_from(dimension.choices[i], kind_of(dimension)), value))
        return unit_of_choice(static_cast<int>(i), static_cast<int>(dimension.choices.size()));
    return std::nullopt;
  }
  const std::optional<double> number = trials::number_in(value);
  if (!number)
    return std::nullopt;
  const auto [low, high] = ends_of(dimension);
  if (*number <= dimension.low && dimension.kind == ValueKind::number)
    return 0;
  if (*number >= dimension.high && dimension.kind == ValueKind::number)
    return 1;
  const double inside = std::clamp(*number, dimension.low, dimension.high);
  return dimension.scale == Scale::linear ? (inside - low) / (high - low)
                                          : std::log(inside / low) / std::log(high / low);
}

double unit_of_choice(int choice, int choices) {
  return (choice + 0.5) / choices;
}

int choice_at(double unit, int choices) {
  return std::clamp(static_cast<int>(std::floor(unit * choices)), 0, choices - 1);
}

}  // namespace proxytune::search
