#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/trials/hyper_parameters.h"

namespace proxytune::search {

enum class Scale { linear, log };
inline constexpr core::Name<Scale> names_of_scale[] = {{Scale::linear, "linear"},
                                                       {Scale::log, "log"}};
constexpr std::span<const core::Name<Scale>> names(Scale) {
  return names_of_scale;
}

/// The dimension is there only where another one has one of these choices.
struct Condition {
  std::string field;
  std::vector<std::string> is;
};

template <class Fields>
void describe(Fields& fields, Condition& condition) {
  fields("field", condition.field, "another field of this space that has choices");
  fields("is", condition.is, "the choices of it where this field is searched");
}

/// What a field's values are: numbers, whole numbers, or names and other texts.
enum class ValueKind { number, whole_number, text };

/// A text of the study file as a value of this kind. Throws std::invalid_argument where it is
/// no number.
trials::FieldValue value_from(const std::string& text, ValueKind kind);

/// One hyper-parameter that is searched: a range, or a list of choices.
struct Dimension {
  std::string field;  // of trials::HyperParameters, or a path of the training options
  double low = 0;
  double high = 1;
  Scale scale = Scale::linear;
  std::vector<std::string> choices{};  // of a categorical field; empty for a range
  std::optional<Condition> when{};
  ValueKind kind = ValueKind::number;  // not in the study file: resolve() fills it in
};

template <class Fields>
void describe(Fields& fields, Dimension& dimension) {
  fields("field",
         dimension.field,
         "learning_rate, shift_probability, shift_offset, weight_decay, optimizer, or a field "
         "of the training options by its path, such as training.loss");
  fields("low", dimension.low, "lower end of a range, in the field's unit");
  fields("high",
         dimension.high,
         "upper end of a range, in the field's unit; of whole numbers both ends are searched");
  fields("scale",
         dimension.scale,
         "how a range is walked; Clara Train walks the learning rate linearly too");
  fields("choices",
         dimension.choices,
         "instead of a range, what to choose from: names, numbers, true and false, or lists as "
         "\"[32, 32, 32]\"");
  fields("when",
         dimension.when,
         "search it only where another field has one of some choices; elsewhere it has the "
         "study's value");
}

/// A field that may be searched, or why not.
struct SearchableField {
  std::string field;
  ValueKind kind = ValueKind::number;
  std::vector<std::string> choices{};  // all its choices, if it has some
  bool range = true;                   // whether it can be walked from low to high
  std::string refusal{};               // empty, or why it is not to be searched
};

/// What of the space can be seen without knowing the fields. Throws core::FieldError, as
/// "2.low".
void validate_space(const std::vector<Dimension>& space);

/// The space with the kinds of its fields. Throws core::FieldError, as "2.low", for fields that
/// are not among these and for ranges and choices that are not theirs.
std::vector<Dimension> resolve(std::vector<Dimension> space,
                               const std::vector<SearchableField>& fields);

/// The fields of trials::HyperParameters itself.
std::vector<SearchableField> own_fields();

struct SearchSpace {
  std::vector<Dimension> dimensions;
};

/// The paper's, with the ranges of Clara Train's shipped example: learning rate in [1e-4, 1e-3]
/// on a log scale, intensity-shift probability in [0, 1].
SearchSpace default_space();

/// Hyper-parameters at a point of [0,1]^d: `base` with the space's fields replaced. 0 and 1 are
/// exactly a range's ends; in between, numbers have six significant digits, so that a study
/// goes on with the same trials where a library's exp() differs in the last bit. A whole number
/// is the nearest one, each as likely as any other of a linear range (its ends reach half a
/// step beyond); on a log scale the same of the logarithm. A choice is the floor of coordinate
/// x number of choices. A field whose condition does not hold keeps the base's value. Throws
/// core::FieldError for a field that HyperParameters cannot have.
trials::HyperParameters at(const SearchSpace& space,
                           const trials::HyperParameters& base,
                           const std::vector<double>& unit_point);

/// For each dimension, whether its condition holds at these hyper-parameters.
std::vector<bool> active(const SearchSpace& space, const trials::HyperParameters& hyper);

/// The coordinate at which at() gives this value, numbers outside a range clipped to it; none
/// for what is not among the choices.
std::optional<double> unit_of(const Dimension& dimension, const trials::FieldValue& value);

/// The coordinate in the middle of a choice's interval.
double unit_of_choice(int choice, int choices);
/// The choice that a coordinate means.
int choice_at(double unit, int choices);

}  // namespace proxytune::search
