#include "proxytune/trials/hyper_parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "proxytune/core/error.h"

namespace proxytune::trials {
namespace {

std::string shortest(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

Optimizer optimizer_named(const std::string& name) {
  try {
    return core::from_string<Optimizer>(name);
  } catch (const std::invalid_argument&) {
    throw core::DataError("the record's optimizer is \"" + name +
                          "\", which this version of proxytune does not know.");
  }
}

/// Whole numbers where all are, numbers where all are, else texts.
core::Column::Values option_values(const std::vector<HyperParameters>& hyper_parameters,
                                   const std::string& path) {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<std::int64_t> wholes;
  for (const HyperParameters& point : hyper_parameters) {
    const std::optional<FieldValue> value = value_of(point, path);
    texts.push_back(value ? text_of(*value) : "");
    if (!value)
      numbers.push_back(std::numeric_limits<double>::quiet_NaN());
    else if (const std::optional<double> number = number_of(point, path))
      numbers.push_back(*number);
    if (value && std::holds_alternative<std::int64_t>(*value))
      wholes.push_back(std::get<std::int64_t>(*value));
  }
  if (wholes.size() == texts.size())
    return wholes;
  if (numbers.size() == texts.size())
    return core::Doubles(numbers);
  return texts;
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
  if (!(hyper.weight_decay >= 0) || !std::isfinite(hyper.weight_decay))
    throw core::FieldError("weight_decay",
                           "is " + shortest(hyper.weight_decay) +
                               ", but weights are to shrink. Use 0 (none) or more, as 1e-5.");
}

std::string text_of(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return *text;
  if (const auto* number = std::get_if<double>(&value))
    return shortest(*number);
  return std::to_string(std::get<std::int64_t>(value));
}

std::optional<double> number_in(const FieldValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

work::Record to_record(const HyperParameters& hyper) {
  work::Record record;
  record.set("optimizer", core::to_string(hyper.optimizer));
  record.set("learning_rate", hyper.learning_rate);
  record.set("shift_probability", hyper.shift_probability);
  record.set("shift_offset", hyper.shift_offset);
  if (hyper.weight_decay != 0)
    record.set("weight_decay", hyper.weight_decay);
  for (const auto& option : hyper.options)
    std::visit([&](const auto& typed) { record.set(option.first, typed); }, option.second);
  return record;
}

HyperParameters hyper_parameters_from_record(const work::Record& record) {
  HyperParameters hyper{
      .optimizer = optimizer_named(record.text("optimizer")),
      .learning_rate = record.number("learning_rate"),
      .shift_probability = record.number("shift_probability"),
      .shift_offset = record.number("shift_offset"),
      .weight_decay = record.has("weight_decay") ? record.number("weight_decay") : 0};
  for (const auto& [name, value] : record.values()) {
    if (!name.starts_with(training_prefix))
      continue;
    if (const auto* whole = std::get_if<std::int64_t>(&value))
      hyper.options[name] = *whole;
    else if (const auto* number = std::get_if<double>(&value))
      hyper.options[name] = *number;
    else
      hyper.options[name] = record.text(name);
  }
  return hyper;
}

std::optional<FieldValue> value_of(const HyperParameters& hyper, const std::string& field) {
  if (field == "optimizer")
    return core::to_string(hyper.optimizer);
  if (field == "learning_rate")
    return hyper.learning_rate;
  if (field == "shift_probability")
    return hyper.shift_probability;
  if (field == "shift_offset")
    return hyper.shift_offset;
  if (field == "weight_decay")
    return hyper.weight_decay;
  const auto found = hyper.options.find(field);
  return found == hyper.options.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> number_of(const HyperParameters& hyper, const std::string& field) {
  const std::optional<FieldValue> value = value_of(hyper, field);
  return value ? number_in(*value) : std::nullopt;
}

std::string column_of(const std::string& field) {
  std::string name = field;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

void add_hyper_parameters(core::Table& table,
                          const std::vector<HyperParameters>& hyper_parameters) {
  std::vector<std::string> optimizers;
  std::vector<double> rates;
  std::vector<double> probabilities;
  std::vector<double> offsets;
  std::vector<double> decays;
  std::set<std::string> paths;
  for (const HyperParameters& point : hyper_parameters) {
    optimizers.push_back(core::to_string(point.optimizer));
    rates.push_back(point.learning_rate);
    probabilities.push_back(point.shift_probability);
    offsets.push_back(point.shift_offset);
    decays.push_back(point.weight_decay);
    for (const auto& [path, value] : point.options)
      paths.insert(path);
  }
  table.add("optimizer", "1", "Optimizer of the training.", optimizers);
  table.add("learning_rate", "1", "Learning rate of the optimizer.", rates);
  table.add("shift_probability",
            "1",
            "Probability of a random intensity shift of a patch.",
            probabilities);
  table.add("shift_offset",
            "intensity",
            "Largest random intensity shift, in units of the preprocessed image.",
            offsets);
  table.add("weight_decay", "1", "Weight decay of the optimizer.", decays);
  for (const std::string& path : paths)
    table.add(column_of(path),
              "1",
              "Searched option " + path + ".",
              option_values(hyper_parameters, path));
}

}  // namespace proxytune::trials
