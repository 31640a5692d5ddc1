#pragma once

#include <string>
#include <vector>

#include "proxytune/trials/trial.h"

namespace proxytune::analysis {

/// Dice on the external set. This type lives in `analysis`, which neither `search` nor
/// `selection` nor `training` may use: what chooses cannot even name it.
struct ExternalScores {
  trials::CaseScores scores;  // cases in the order of spec.external_cases
};

/// A trial as the analysis sees it.
struct TrialRecord {
  std::string key;
  trials::TrialSpec spec;
  trials::TrialResult result;
  ExternalScores external;
};

/// Puts the external scores beside a result in a journal record ("external_dice",
/// "external_classes"), and reads the whole back.
void add_external(work::Record& record, const ExternalScores& external);
TrialRecord trial_record(const std::string& key,
                         const trials::TrialSpec& spec,
                         const work::Record& result);

}  // namespace proxytune::analysis
