#include "jobs/searched_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "proxytune/config/fields.h"

namespace proxytune::jobs {
namespace {

/// Two trials that differ in these are not scored alike, or do not differ in what they learn.
const std::map<std::string, std::string>& refusals() {
  static const std::map<std::string, std::string> all{
      {"validate_every",
       "it decides how many epochs compete for the best score, so that scores of two trials "
       "would not compare. Set it for all of them."},
      {"window", "it decides how a network is scored. Set it for all trials."},
      {"overlap", "it decides how a network is scored. Set it for all trials."},
      {"blending", "it decides how a network is scored. Set it for all trials."},
      {"windows_per_step", "it changes how fast a network is scored, and nothing else."},
  };
  return all;
}

std::string name_of(const std::string& path) {
  return path.substr(std::string(trials::training_prefix).size());
}

search::SearchableField searchable(const config::FieldFacts& facts) {
  search::SearchableField field;
  field.field = trials::training_prefix + facts.path;
  field.choices = facts.choices;
  field.range =
      facts.kind == config::FieldKind::whole_number || facts.kind == config::FieldKind::number;
  field.kind = facts.kind == config::FieldKind::whole_number ? search::ValueKind::whole_number
               : field.range                                 ? search::ValueKind::number
                                                             : search::ValueKind::text;
  const auto refused = refusals().find(facts.path);
  if (refused != refusals().end())
    field.refusal = refused->second;
  return field;
}

/// Of a dimension, what would be tried: field in the study file, and value.
std::vector<std::pair<std::string, std::string>> tried(const search::Dimension& dimension) {
  if (dimension.choices.empty())
    return {{"low", config::to_text(dimension.low)}, {"high", config::to_text(dimension.high)}};
  std::vector<std::pair<std::string, std::string>> values;
  for (std::size_t i = 0; i < dimension.choices.size(); ++i)
    values.emplace_back(fmt::format("choices.{}", i), dimension.choices[i]);
  return values;
}

double voxels_in_a_step(const training::TrainingOptions& options) {
  const auto& [x, y, z] = options.patch;
  return 1.0 * x * y * z * options.cases_per_step * options.patches_per_case;
}

/// The study must make sense with this value as well. Complaints name no field: they are about
/// the value.
void require_value(const StudyOptions& study,
                   const search::Dimension& dimension,
                   const std::string& text,
                   const std::string& field) {
  const std::string name = name_of(dimension.field);
  training::TrainingOptions options = study.training;
  try {
    config::set_field(options, name, text);
    validate(options);
    std::set<std::string> networks{study.final_training.network};
    for (const ArmOptions& arm : study.search_arms())
      networks.insert(arm.network);
    if (const auto& halving = study.search.options.halving)
      for (const search::Rung& rung : halving->rungs)
        if (!rung.arm.empty())
          networks.insert(study.arm(rung.arm).network);
    for (const std::string& network : networks)
      network::check_patch(study.network(network).unet,
                           options.patch,
                           fmt::format("training.patch (network {})", network));
  } catch (const core::FieldError& error) {
    throw core::FieldError(field,
                           error.field() == name
                               ? error.sentence()
                               : fmt::format("cannot be: training.{}", error.what()));
  } catch (const core::ConfigurationError& error) {
    throw core::FieldError(field, fmt::format("cannot be: {}", error.what()));
  }
}

/// As the trial's own text has it, so that tables say one value in one way.
std::string canonical(const StudyOptions& study,
                      const std::string& field,
                      const std::string& text) {
  if (!field.starts_with(trials::training_prefix))
    return text;
  training::TrainingOptions options = study.training;
  config::set_field(options, name_of(field), text);
  return config::field_text(options, name_of(field));
}

/// Throws core::FieldError for two spellings of one value.
void make_canonical(const StudyOptions& study, search::Dimension& dimension) {
  const std::vector<std::string> written = dimension.choices;
  for (std::size_t i = 0; i < written.size(); ++i) {
    std::string& choice = dimension.choices[i];
    choice = canonical(study, dimension.field, written[i]);
    const auto same = std::find(dimension.choices.begin(),
                                dimension.choices.begin() + static_cast<std::ptrdiff_t>(i),
                                choice);
    const auto k = static_cast<std::size_t>(same - dimension.choices.begin());
    if (k < i)
      throw core::FieldError(
          fmt::format("choices.{}", i),
          fmt::format(
              "is \"{}\", the same value as \"{}\". Leave one out.", written[i], written[k]));
  }
  if (dimension.when)
    for (std::string& choice : dimension.when->is)
      choice = canonical(study, dimension.when->field, choice);
}

}  // namespace

std::vector<search::SearchableField> searchable_fields() {
  std::vector<search::SearchableField> fields = search::own_fields();
  for (const config::FieldFacts& facts : config::fields_of<training::TrainingOptions>())
    fields.push_back(searchable(facts));
  return fields;
}

search::SearchOptions resolved_search(const StudyOptions& options) {
  search::SearchOptions resolved = options.search.options;
  try {
    resolved.space = search::resolve(resolved.space, searchable_fields());
  } catch (const core::FieldError& error) {
    throw core::FieldError("search.space." + error.field(), error.sentence());
  }
  for (std::size_t i = 0; i < resolved.space.size(); ++i) {
    const search::Dimension& dimension = resolved.space[i];
    if (!dimension.field.starts_with(trials::training_prefix))
      continue;
    for (const auto& [field, value] : tried(dimension))
      require_value(options, dimension, value, fmt::format("search.space.{}.{}", i, field));
  }
  for (std::size_t i = 0; i < resolved.space.size(); ++i) {
    try {
      make_canonical(options, resolved.space[i]);
    } catch (const core::FieldError& error) {
      throw core::FieldError(fmt::format("search.space.{}.{}", i, error.field()),
                             error.sentence());
    }
  }
  return resolved;
}

std::vector<std::string> searched_options(const search::SearchOptions& options) {
  std::vector<std::string> paths;
  for (const search::Dimension& dimension : options.space)
    if (dimension.field.starts_with(trials::training_prefix))
      paths.push_back(dimension.field);
  return paths;
}

training::TrainingOptions with_values(training::TrainingOptions options,
                                      const OptionValues& values) {
  for (const auto& [path, value] : values)
    config::set_field(options, name_of(path), trials::text_of(value));
  return options;
}

OptionValues values_of(const training::TrainingOptions& options,
                       std::vector<std::string> paths) {
  const auto texts = config::flatten(options);
  if (paths.empty())
    for (const auto& [name, text] : texts)
      paths.push_back(trials::training_prefix + name);
  std::map<std::string, search::ValueKind> kinds;
  for (const search::SearchableField& field : searchable_fields())
    kinds[field.field] = field.kind;
  OptionValues values;
  for (const std::string& path : paths)
    values[path] = search::value_from(texts.at(name_of(path)), kinds.at(path));
  return values;
}

training::TrainingOptions largest_options(const StudyOptions& options) {
  training::TrainingOptions largest = options.training;
  for (const search::Dimension& dimension : resolved_search(options).space) {
    if (!dimension.field.starts_with(trials::training_prefix))
      continue;
    for (const auto& [field, value] : tried(dimension)) {
      training::TrainingOptions other = largest;
      config::set_field(other, name_of(dimension.field), value);
      if (voxels_in_a_step(other) > voxels_in_a_step(largest))
        largest = other;
    }
  }
  return largest;
}

trials::HyperParameters base_of(const StudyOptions& options) {
  trials::HyperParameters base = options.search.base;
  const auto paths = searched_options(options.search.options);
  if (!paths.empty())
    base.options = values_of(options.training, paths);
  return base;
}

std::string training_text(const training::TrainingOptions& options,
                          const imaging::PreprocessOptions& preprocessing) {
  return config::to_yaml(options) + imaging::identity(preprocessing);
}

training::TrainingOptions training_options_of(const trials::TrialSpec& spec) {
  training::TrainingOptions options;
  // The last line is the preprocessing's.
  const std::string yaml = spec.training.substr(0, spec.training.rfind('\n') + 1);
  config::read(config::parse(yaml, "the trial's options"), "training", options);
  return options;
}

trials::HyperParameters hyper_parameters_of(const StudyOptions& options,
                                            const trials::TrialSpec& spec) {
  trials::HyperParameters hyper = spec.hyper_parameters;
  const auto paths = searched_options(options.search.options);
  if (!paths.empty())
    hyper.options = values_of(training_options_of(spec), paths);
  return hyper;
}

std::string said(const trials::HyperParameters& hyper) {
  std::string text = fmt::format("{} {:.3g}, shift {:.2f}",
                                 core::to_string(hyper.optimizer),
                                 hyper.learning_rate,
                                 hyper.shift_probability);
  if (hyper.weight_decay != 0)
    text += fmt::format(", weight decay {:.3g}", hyper.weight_decay);
  for (const auto& [path, value] : hyper.options)
    text += fmt::format(", {} {}", name_of(path), trials::text_of(value));
  return text;
}

}  // namespace proxytune::jobs
