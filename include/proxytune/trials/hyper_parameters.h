#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/core/table.h"
#include "proxytune/work/record.h"

namespace proxytune::trials {

enum class Optimizer { adam, rmsprop, adamax, novograd };
inline constexpr core::Name<Optimizer> names_of_optimizer[] = {
    {Optimizer::adam, "adam"},
    {Optimizer::rmsprop, "rmsprop"},
    {Optimizer::adamax, "adamax"},
    {Optimizer::novograd, "novograd"},
};
constexpr std::span<const core::Name<Optimizer>> names(Optimizer) {
  return names_of_optimizer;
}

/// A whole number, a number, or a text as the study file has it ("dice", "[32, 32, 32]").
using FieldValue = std::variant<std::int64_t, double, std::string>;
std::string text_of(const FieldValue& value);
/// None for a text.
std::optional<double> number_in(const FieldValue& value);

/// What a sweep varies and a search looks for.
struct HyperParameters {
  Optimizer optimizer = Optimizer::adam;
  double learning_rate = 1e-3;
  double shift_probability = 0.5;  // of a random intensity shift, per patch; [0, 1]
  double shift_offset = 0.1;       // the shift is uniform in [-offset, offset]
  double weight_decay = 0;
  /// Searched fields of the training options by path ("training.loss"), instead of the study's.
  std::map<std::string, FieldValue> options{};
  bool operator==(const HyperParameters&) const = default;
};

/// How the paths of `options` begin.
inline constexpr const char* training_prefix = "training.";

template <class Fields>
void describe(Fields& fields, HyperParameters& hyper) {
  fields("optimizer", hyper.optimizer, "optimizer of the training");
  fields(
      "learning_rate", hyper.learning_rate, "learning rate, above 0; constant over a training");
  fields("shift_probability",
         hyper.shift_probability,
         "probability that a patch's intensities are shifted, 0 to 1");
  fields("shift_offset",
         hyper.shift_offset,
         "a shift is uniform in [-offset, offset], in intensities as preprocessed; 0 or more");
  fields("weight_decay",
         hyper.weight_decay,
         "share of the weights that joins their gradients, 0 or more (torch.optim; Novograd "
         "as MONAI's)");
}

/// Throws core::FieldError.
void validate(const HyperParameters& hyper);

/// A weight decay of 0 is left out: it is the same trial as before there was one.
work::Record to_record(const HyperParameters& hyper);
HyperParameters hyper_parameters_from_record(const work::Record& record);

/// The field of this name or path; none where it is not there.
std::optional<FieldValue> value_of(const HyperParameters& hyper, const std::string& field);
/// The same where it is a number.
std::optional<double> number_of(const HyperParameters& hyper, const std::string& field);

/// A field's name as the column of a table: "training.loss" is "training_loss".
std::string column_of(const std::string& field);

/// Adds a column for each field, and for each path that one of `options` has; a text that
/// lacks it is empty, a number NaN.
void add_hyper_parameters(core::Table& table,
                          const std::vector<HyperParameters>& hyper_parameters);

}  // namespace proxytune::trials
