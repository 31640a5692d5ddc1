#pragma once

#include <string>
#include <vector>

#include "jobs/study_options.h"
#include "proxytune/study/changes.h"

namespace proxytune::jobs {

/// The stages of a study, in order.
const std::vector<std::string>& stages();

/// The study's fields by path, arms and networks by their names: their order means nothing.
study::Fields named_fields(const StudyOptions& options);

/// What changed and what that means: a new or dropped arm, network or trial of a replayed list
/// extends a study, another meaning of an old name, or another point as an old trial,
/// invalidates what was trained.
std::vector<study::Change> changes_between(const study::Fields& before,
                                           const study::Fields& after);

/// What a change of each field of the study file means for work that is done.
const study::FieldClasses& field_classes();

/// The study as text, without what cannot change results (compute, output).
std::string result_fields_text(const StudyOptions& options);

}  // namespace proxytune::jobs
