#include "search/space_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "proxytune/core/error.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;

double* real_field(HyperParameters& hyper, const std::string& name) {
  if (name == "learning_rate")
    return &hyper.learning_rate;
  if (name == "shift_probability")
    return &hyper.shift_probability;
  if (name == "shift_offset")
    return &hyper.shift_offset;
  return name == "weight_decay" ? &hyper.weight_decay : nullptr;
}

template <class Number>
Number number_from(const std::string& text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || text.empty())
    throw std::invalid_argument(text + " is no number");
  return value;
}

}  // namespace

ValueKind kind_of(const Dimension& dimension) {
  return dimension.field == "optimizer" ? ValueKind::text : dimension.kind;
}

FieldValue value_from(const std::string& text, ValueKind kind) {
  if (kind == ValueKind::whole_number)
    return number_from<std::int64_t>(text);
  if (kind == ValueKind::number) {
    const auto value = number_from<double>(text);
    if (!std::isfinite(value))
      throw std::invalid_argument(text + " is no number");
    return value;
  }
  return text;
}

bool same_value(const FieldValue& one, const FieldValue& other) {
  const std::optional<double> number = trials::number_in(one);
  const std::optional<double> other_number = trials::number_in(other);
  return number && other_number ? *number == *other_number : one == other;
}

void set_value(HyperParameters& hyper, const std::string& field, const FieldValue& value) {
  if (field == "optimizer") {
    const std::string name = trials::text_of(value);
    const std::vector<std::string> known = core::choices<trials::Optimizer>();
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw core::FieldError(
          field, "is \"" + name + "\", but the choices are: " + listed(known) + ".");
    hyper.optimizer = core::from_string<trials::Optimizer>(name);
  } else if (double* real = real_field(hyper, field)) {
    const std::optional<double> number = trials::number_in(value);
    if (!number)
      throw core::FieldError(field,
                             "is \"" + trials::text_of(value) + "\", which is no number.");
    *real = *number;
  } else if (field.starts_with(trials::training_prefix)) {
    hyper.options[field] = value;
  } else {
    std::vector<std::string> known;
    for (const SearchableField& own : own_fields())
      known.push_back(own.field);
    throw core::FieldError(
        "field", "is \"" + field + "\", but the hyper-parameters are: " + listed(known) + ".");
  }
}

std::size_t position_of(const std::vector<Dimension>& space, const std::string& field) {
  const auto found = std::find_if(
      space.begin(), space.end(), [&](const Dimension& one) { return one.field == field; });
  return static_cast<std::size_t>(found - space.begin());
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace proxytune::search
