#pragma once

#include <string>
#include <vector>

#include "jobs/study_options.h"

namespace proxytune::jobs {

/// Throws core::FieldError, as "search.halving.rungs.0.epochs", where a search is to stop its
/// trials at epochs that their training does not have or does not validate.
void check_early_stopping(const StudyOptions& options);

/// A part of a search's trainings, and the share of its trials that go through it.
struct TrainingPart {
  int epochs = 0;
  std::string arm{};  // whose data and network; empty: the one that searches
  double share = 1;
  bool last = false;  // to the end of the training
};
/// What a search is expected to train, as far as that is known beforehand.
std::vector<TrainingPart> training_parts(const StudyOptions& options);

}  // namespace proxytune::jobs
