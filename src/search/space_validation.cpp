#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "proxytune/core/error.h"
#include "proxytune/core/nearest.h"
#include "proxytune/search/space.h"
#include "search/space_fields.h"

namespace proxytune::search {
namespace {

void refuse_repeated(const std::vector<std::string>& words, const std::string& field) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto here = words.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(words.begin(), here, *here) != here)
      throw core::FieldError(field + "." + std::to_string(i),
                             "is \"" + *here + "\" a second time. Leave one out.");
  }
}

void validate_range(const Dimension& dimension) {
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

void validate_condition(const std::vector<Dimension>& space, std::size_t i) {
  const Condition& condition = *space[i].when;
  const std::size_t other = position_of(space, condition.field);
  if (other == space.size())
    throw core::FieldError("when.field",
                           "is \"" + condition.field +
                               "\", which this space does not search. Name a field of the "
                               "space that has choices, or leave the condition out.");
  if (space[other].choices.empty())
    throw core::FieldError(
        "when.field",
        "is \"" + condition.field +
            "\", which has a range. A condition names a field with choices.");
  if (condition.is.empty())
    throw core::FieldError("when.is",
                           "is empty, so that " + space[i].field +
                               " would never be searched. Name choices of " + condition.field +
                               ".");
  refuse_repeated(condition.is, "when.is");
  const std::vector<std::string>& choices = space[other].choices;
  for (std::size_t k = 0; k < condition.is.size(); ++k)
    if (std::find(choices.begin(), choices.end(), condition.is[k]) == choices.end())
      throw core::FieldError("when.is." + std::to_string(k),
                             "is \"" + condition.is[k] + "\", but the choices of " +
                                 condition.field + " are: " + listed(choices) + ".");
  std::set<std::size_t> met{i};
  for (std::size_t at = other; at < space.size() && space[at].when;
       at = position_of(space, space[at].when->field))
    if (!met.insert(at).second || at == i)
      throw core::FieldError("when.field",
                             "is \"" + condition.field +
                                 "\", which itself is there only by a condition that leads "
                                 "back to it. Leave one condition out.");
}

void validate_one(const std::vector<Dimension>& space, std::size_t i) {
  const Dimension& dimension = space[i];
  if (dimension.field.empty())
    throw core::FieldError("field", "is missing. Name the field that is searched.");
  if (position_of(space, dimension.field) < i)
    throw core::FieldError("field",
                           "is \"" + dimension.field + "\" a second time. Leave one out.");
  refuse_repeated(dimension.choices, "choices");
  // The optimizer's is known to be a name: it has no range, whatever low and high are.
  if (dimension.choices.empty() && dimension.field != "optimizer")
    validate_range(dimension);
  if (dimension.when)
    validate_condition(space, i);
}

const SearchableField& field_of(const Dimension& dimension,
                                const std::vector<SearchableField>& fields) {
  std::vector<std::string> names;
  for (const SearchableField& field : fields) {
    if (field.field == dimension.field && field.refusal.empty())
      return field;
    if (field.field == dimension.field)
      throw core::FieldError(
          "field", "is \"" + field.field + "\", which is not to be searched: " + field.refusal);
    if (field.refusal.empty())
      names.push_back(field.field);
  }
  // "loss" means training.loss.
  const std::string whole = trials::training_prefix + dimension.field;
  const bool lacks_prefix = std::find(names.begin(), names.end(), whole) != names.end();
  const std::string near = lacks_prefix ? whole : core::nearest(dimension.field, names);
  throw core::FieldError("field",
                         "is \"" + dimension.field + "\", which is no hyper-parameter" +
                             (near.empty() ? ". " : "; did you mean \"" + near + "\"? ") +
                             "Those that may be searched are: " + listed(names) + ".");
}

/// Two spellings of one value would make it twice as likely. Throws std::invalid_argument for
/// what is no value.
void refuse_same_value(const std::vector<std::string>& choices, std::size_t i, ValueKind kind) {
  const trials::FieldValue value = value_from(choices[i], kind);
  for (std::size_t k = 0; k < i; ++k)
    if (same_value(value_from(choices[k], kind), value))
      throw core::FieldError("choices." + std::to_string(i),
                             "is \"" + choices[i] + "\", the same value as \"" + choices[k] +
                                 "\". Leave one out.");
}

void resolve_choices(const Dimension& dimension, const SearchableField& field) {
  for (std::size_t i = 0; i < dimension.choices.size(); ++i) {
    const std::string& choice = dimension.choices[i];
    const std::string name = "choices." + std::to_string(i);
    if (!field.choices.empty() &&
        std::find(field.choices.begin(), field.choices.end(), choice) == field.choices.end())
      throw core::FieldError(name,
                             "is \"" + choice + "\", but the choices of " + field.field +
                                 " are: " + listed(field.choices) + ".");
    try {
      refuse_same_value(dimension.choices, i, field.kind);
    } catch (const std::invalid_argument&) {
      throw core::FieldError(name,
                             "is \"" + choice + "\", but " + field.field + " is a " +
                                 (field.kind == ValueKind::number ? "" : "whole ") + "number.");
    }
  }
}

void resolve_range(const Dimension& dimension, const SearchableField& field) {
  if (!field.range)
    throw core::FieldError("choices",
                           "is empty, but " + field.field + " is chosen from a list" +
                               (field.choices.empty() ? "" : " of: " + listed(field.choices)) +
                               ".");
  if (field.kind != ValueKind::whole_number)
    return;
  for (const auto& [name, end] :
       {std::pair("low", dimension.low), std::pair("high", dimension.high)})
    if (end != std::round(end) || std::abs(end) > 1e9)
      throw core::FieldError(name,
                             "is " + shortest(end) + ", but " + field.field +
                                 " is a whole number. Use one, up to a thousand million.");
}

/// Both ends must be values of the field itself; the rest lies between them.
void validate_own(const Dimension& dimension) {
  std::vector<std::pair<std::string, trials::FieldValue>> values;
  if (dimension.choices.empty())
    values = {{"low", dimension.low}, {"high", dimension.high}};
  for (std::size_t i = 0; i < dimension.choices.size(); ++i)
    values.emplace_back("choices." + std::to_string(i),
                        value_from(dimension.choices[i], dimension.kind));
  for (const auto& [name, value] : values) {
    trials::HyperParameters hyper;
    set_value(hyper, dimension.field, value);
    try {
      trials::validate(hyper);
    } catch (const core::FieldError& error) {
      throw core::FieldError(name, error.sentence());
    }
  }
}

/// Puts the position before the field that is complained about.
template <class Check>
void each(const std::vector<Dimension>& space, const Check& check) {
  for (std::size_t i = 0; i < space.size(); ++i) {
    try {
      check(i);
    } catch (const core::FieldError& error) {
      throw core::FieldError(std::to_string(i) + "." + error.field(), error.sentence());
    }
  }
}

}  // namespace

std::vector<SearchableField> own_fields() {
  return {{.field = "learning_rate"},
          {.field = "shift_probability"},
          {.field = "shift_offset"},
          {.field = "weight_decay"},
          {.field = "optimizer",
           .kind = ValueKind::text,
           .choices = core::choices<trials::Optimizer>(),
           .range = false}};
}

void validate_space(const std::vector<Dimension>& space) {
  each(space, [&](std::size_t i) { validate_one(space, i); });
}

std::vector<Dimension> resolve(std::vector<Dimension> space,
                               const std::vector<SearchableField>& fields) {
  each(space, [&](std::size_t i) {
    Dimension& dimension = space[i];
    const SearchableField& field = field_of(dimension, fields);
    dimension.kind = field.kind;
    if (dimension.choices.empty())
      resolve_range(dimension, field);
    else
      resolve_choices(dimension, field);
    if (!field.field.starts_with(trials::training_prefix))
      validate_own(dimension);
  });
  return space;
}

}  // namespace proxytune::search
