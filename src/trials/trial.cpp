#include "proxytune/trials/trial.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"

namespace proxytune::trials {
namespace {

template <class T>
void set_list(work::Record& record, const std::string& name, const std::vector<T>& values) {
  if (!values.empty())
    record.set(name, values);
}

std::vector<double> numbers(const work::Record& record, const std::string& name) {
  return record.has(name) ? record.numbers(name) : std::vector<double>{};
}

std::vector<std::int64_t> integers(const work::Record& record, const std::string& name) {
  return record.has(name) ? record.integers(name) : std::vector<std::int64_t>{};
}

std::vector<std::string> texts(const work::Record& record, const std::string& name) {
  return record.has(name) ? record.texts(name) : std::vector<std::string>{};
}

int small_integer(const work::Record& record, const std::string& name) {
  const std::int64_t value = record.integer(name);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    throw core::DataError("the record's " + name + " is " + std::to_string(value) +
                          ", which no trial writes. Is it from another version of proxytune?");
  return static_cast<int>(value);
}

template <core::NamedEnum Enum>
Enum choice(const work::Record& record, const std::string& name) {
  try {
    return core::from_string<Enum>(record.text(name));
  } catch (const std::invalid_argument&) {
    throw core::DataError("the record's " + name + " is \"" + record.text(name) +
                          "\", which this version of proxytune does not know.");
  }
}

/// NaN where every value is NaN.
double mean_without_nan(const std::vector<double>& values) {
  double sum = 0;
  int count = 0;
  for (const double value : values) {
    if (std::isnan(value))
      continue;
    sum += value;
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

}  // namespace

work::Record to_record(const TrialSpec& spec) {
  work::Record record = to_record(spec.hyper_parameters);
  record.set("network", spec.network);
  record.set("training", spec.training);
  set_list(record, "training_cases", spec.training_cases);
  set_list(record, "validation_cases", spec.validation_cases);
  set_list(record, "external_cases", spec.external_cases);
  record.set("repeat", spec.repeat);
  record.set("seed", spec.seed);
  record.set("keep_weights", spec.keep_weights);
  add_to(record, spec.early_stop);
  return record;
}

TrialSpec spec_from_record(const work::Record& record) {
  return {.hyper_parameters = hyper_parameters_from_record(record),
          .network = record.text("network"),
          .training = record.text("training"),
          .training_cases = texts(record, "training_cases"),
          .validation_cases = texts(record, "validation_cases"),
          .external_cases = texts(record, "external_cases"),
          .repeat = record.integer("repeat"),
          .seed = record.integer("seed"),
          .keep_weights = record.boolean("keep_weights"),
          .early_stop = early_stop_from_record(record)};
}

std::string trial_key(const TrialSpec& spec) {
  return core::content_hash(work::to_json(to_record(spec)));
}

TrialSpec without_early_stop(TrialSpec spec) {
  spec.early_stop = {};
  return spec;
}

bool succeeded(TrialStatus status) {
  return status == TrialStatus::completed || status == TrialStatus::stopped_early;
}

double CaseScores::mean() const {
  return mean_without_nan(mean_by_class());
}

std::vector<double> CaseScores::mean_by_class() const {
  std::vector<double> means;
  const auto stride = static_cast<std::size_t>(classes);
  for (std::size_t c = 0; c < stride; ++c) {
    std::vector<double> of_class;
    for (std::size_t i = c; i < dice.size(); i += stride)
      of_class.push_back(dice[i]);
    means.push_back(mean_without_nan(of_class));
  }
  return means;
}

work::Record to_record(const TrialResult& result) {
  work::Record record;
  record.set("status", core::to_string(result.status));
  record.set("reason", result.reason);
  record.set("best_validation_dice", result.best_validation_dice);
  record.set("best_epoch", std::int64_t{result.best_epoch});
  record.set("validation_classes", std::int64_t{result.validation.classes});
  set_list(record, "validation_case_dice", result.validation.dice);
  set_list(record, "loss", result.loss);
  set_list(record, "validated", result.validated);
  set_list(record, "validation_dice", result.validation_dice);
  record.set("weights_file", result.weights_file);
  record.set("seconds", result.seconds);
  record.set("training_seconds", result.training_seconds);
  record.set("validation_seconds", result.validation_seconds);
  record.set("external_seconds", result.external_seconds);
  record.set("device_seconds", result.device_seconds);
  record.set("steps", result.steps);
  record.set("rank", std::int64_t{result.rank});
  record.set("host", result.host);
  record.set("attempt", std::int64_t{result.attempt});
  if (!result.log_tail.empty())
    record.set("log_tail", result.log_tail);
  return record;
}

TrialResult result_from_record(const work::Record& record) {
  return {.status = choice<TrialStatus>(record, "status"),
          .reason = record.text("reason"),
          .best_validation_dice = record.number("best_validation_dice"),
          .best_epoch = small_integer(record, "best_epoch"),
          .validation = {.classes = small_integer(record, "validation_classes"),
                         .dice = numbers(record, "validation_case_dice")},
          .loss = numbers(record, "loss"),
          .validated = integers(record, "validated"),
          .validation_dice = numbers(record, "validation_dice"),
          .weights_file = record.text("weights_file"),
          .seconds = record.number("seconds"),
          .training_seconds = record.number("training_seconds"),
          .validation_seconds = record.number("validation_seconds"),
          .external_seconds = record.number("external_seconds"),
          .device_seconds =
              record.number(record.has("device_seconds") ? "device_seconds" : "seconds"),
          .steps = record.integer("steps"),
          .rank = small_integer(record, "rank"),
          .host = record.text("host"),
          .attempt = record.has("attempt") ? small_integer(record, "attempt") : 0,
          .log_tail = record.has("log_tail") ? record.text("log_tail") : ""};
}

}  // namespace proxytune::trials
