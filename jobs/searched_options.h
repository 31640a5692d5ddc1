#pragma once

#include <map>
#include <string>
#include <vector>

#include "jobs/study_options.h"
#include "proxytune/search/space.h"
#include "proxytune/training/options.h"
#include "proxytune/trials/trial.h"

namespace proxytune::jobs {

/// Training options by path ("training.loss").
using OptionValues = std::map<std::string, trials::FieldValue>;

/// All that a search may vary: the fields of the hyper-parameters and of the training options,
/// less those that decide how a training is scored.
std::vector<search::SearchableField> searchable_fields();

/// The study's search with the kinds of its fields. Throws core::FieldError, as
/// "search.space.2.low", for what these fields cannot be.
search::SearchOptions resolved_search(const StudyOptions& options);

/// Of the searched fields, those that are training options.
std::vector<std::string> searched_options(const search::SearchOptions& options);

/// The options with these values in their places. Throws core::FieldError.
training::TrainingOptions with_values(training::TrainingOptions options,
                                      const OptionValues& values);
/// The values of these paths; of all fields where none is given.
OptionValues values_of(const training::TrainingOptions& options,
                       std::vector<std::string> paths = {});

/// Of all that its trials may have, the options with the most voxels in a step.
training::TrainingOptions largest_options(const StudyOptions& options);

/// What a search takes where its space says nothing: the section's hyper-parameters, and the
/// study's training options.
trials::HyperParameters base_of(const StudyOptions& options);

/// A trial's training options as its specification holds them, with what else decides its
/// images; and back.
std::string training_text(const training::TrainingOptions& options,
                          const imaging::PreprocessOptions& preprocessing);
training::TrainingOptions training_options_of(const trials::TrialSpec& spec);
/// A trial's hyper-parameters with the options that the study searches.
trials::HyperParameters hyper_parameters_of(const StudyOptions& options,
                                            const trials::TrialSpec& spec);

/// "adam 0.001, shift 0.50, loss dice".
std::string said(const trials::HyperParameters& hyper);

}  // namespace proxytune::jobs
