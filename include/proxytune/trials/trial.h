#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/trials/early_stop.h"
#include "proxytune/trials/hyper_parameters.h"
#include "proxytune/work/record.h"

namespace proxytune::trials {

/// One training, said completely: two equal specifications are the same trial, whichever arm,
/// stage or launch asks for it.
struct TrialSpec {
  HyperParameters hyper_parameters;           // `options` are part of `training` already
  std::string network;                        // canonical text of the network's options
  std::string training;                       // canonical text of the training options
  std::vector<std::string> training_cases;    // content keys, sorted
  std::vector<std::string> validation_cases;  // content keys, sorted
  std::vector<std::string> external_cases;    // scored, never chosen by; content keys, sorted
  std::int64_t repeat = 0;
  std::int64_t seed = 0;      // of the study
  bool keep_weights = false;  // best weights become a file
  EarlyStop early_stop{};
  bool operator==(const TrialSpec&) const = default;
};

/// Holds the hyper-parameters' fields beside its own.
work::Record to_record(const TrialSpec& spec);
TrialSpec spec_from_record(const work::Record& record);
/// Content hash of to_record's text: the trial's identity.
std::string trial_key(const TrialSpec& spec);
/// The same training, to its last epoch.
TrialSpec without_early_stop(TrialSpec spec);

/// `stopped_early`: as its specification says; it has the scores of its epochs so far.
enum class TrialStatus {
  completed,
  stopped_early,
  diverged,
  out_of_memory,
  timed_out,
  failed,
  lost
};
inline constexpr core::Name<TrialStatus> names_of_trial_status[] = {
    {TrialStatus::completed, "completed"},
    {TrialStatus::stopped_early, "stopped_early"},
    {TrialStatus::diverged, "diverged"},
    {TrialStatus::out_of_memory, "out_of_memory"},
    {TrialStatus::timed_out, "timed_out"},
    {TrialStatus::failed, "failed"},
    {TrialStatus::lost, "lost"},
};
constexpr std::span<const core::Name<TrialStatus>> names(TrialStatus) {
  return names_of_trial_status;
}

/// Dice per case and foreground class, (case, class) in C order; NaN where the truth has none
/// of the class. Cases are in the order of the specification that was scored.
struct CaseScores {
  int classes = 0;  // foreground classes
  std::vector<double> dice;

  int cases() const { return classes == 0 ? 0 : static_cast<int>(dice.size()) / classes; }
  /// Mean over classes of the mean over cases, NaN skipped; NaN if nothing is left.
  double mean() const;
  std::vector<double> mean_by_class() const;
};

/// What whoever chooses hyper-parameters may see of a trial. The external scores are not here:
/// they live in `analysis`, which no choosing room may use.
struct TrialResult {
  TrialStatus status = TrialStatus::completed;
  std::string reason;                   // why it did not complete
  double best_validation_dice = 0;      // mean foreground Dice of the best epoch; NaN if none
  int best_epoch = -1;                  // counted from 0
  CaseScores validation;                // at the best epoch
  std::vector<double> loss;             // mean training loss, one an epoch
  std::vector<std::int64_t> validated;  // epochs after which validation ran
  std::vector<double> validation_dice;  // mean foreground Dice, one for each of `validated`
  std::string weights_file;             // relative to the study folder; empty if not kept
  // Costs, which may differ between runs of one study: under /execution in the results.
  double seconds = 0;  // wall time, all of it
  double training_seconds = 0;
  double validation_seconds = 0;
  double external_seconds = 0;
  double device_seconds = 0;  // of the wall time, this trial's share of its rank
  std::int64_t steps = 0;
  int rank = 0;
  std::string host;
  int attempt = 0;       // earlier ones that ended and were not recorded
  std::string log_tail;  // what its rank said last of a trial that did not complete
};

/// Whether its training came as far as it was to come.
bool succeeded(TrialStatus status);

/// Exact, NaN included. Empty lists are left out: a JSON list without values has no type.
work::Record to_record(const TrialResult& result);
TrialResult result_from_record(const work::Record& record);

using TrialRunner = std::function<TrialResult(const TrialSpec&)>;

}  // namespace proxytune::trials
