#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxytune/analysis/arms.h"

namespace proxytune::analysis {

/// A trial and who asked for it; equal trials of several arms are one.
struct StagedTrial {
  std::string stage;              // "sweep", "search", "train"
  std::vector<std::string> arms;  // sorted
  const TrialRecord* trial = nullptr;
};

// One row a trial, in the order given; `path` is e.g. "/sweep/trials". Nothing that depends on
// times, hosts or ranks is in them but in execution_table.

core::Table trials_table(const std::vector<StagedTrial>& trials, const std::string& path);

/// Training loss and validation Dice by epoch, (trial, epoch); NaN where there is none.
core::Table learning_curves_table(const std::vector<StagedTrial>& trials,
                                  const std::string& path);

/// One row a trial, case and class. `case_names`: content key -> name; a key without one stands
/// for itself. Throws core::DataError where a trial's scores are not of its cases.
core::Table case_scores_table(const std::vector<StagedTrial>& trials,
                              const std::map<std::string, std::string>& case_names,
                              const std::string& path);

/// Costs, under /execution: seconds, rank, host, attempts and why a trial failed.
/// `open_starts`: "trial/" + key -> starts that never ended (work::JournalContents::attempts;
/// the journal knows a trial by its key alone, whichever stage asked for it).
core::Table execution_table(const std::vector<StagedTrial>& trials,
                            const std::map<std::string, int>& open_starts);

}  // namespace proxytune::analysis
