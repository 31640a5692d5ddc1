#pragma once

#include <set>
#include <string>

#include "proxytune/core/names.h"
#include "proxytune/trials/trial.h"

namespace proxytune::jobs {

/// What becomes of a trial that did not complete.
enum class FailurePolicy { record, retry, retry_with_fewer };
inline constexpr core::Name<FailurePolicy> names_of_failure_policy[] = {
    {FailurePolicy::record, "record"},
    {FailurePolicy::retry, "retry"},
    {FailurePolicy::retry_with_fewer, "retry_with_fewer"},
};
constexpr std::span<const core::Name<FailurePolicy>> names(FailurePolicy) {
  return names_of_failure_policy;
}

struct FailureOptions {
  FailurePolicy diverged = FailurePolicy::record;
  FailurePolicy out_of_memory = FailurePolicy::retry_with_fewer;
  FailurePolicy timed_out = FailurePolicy::record;
  FailurePolicy failed = FailurePolicy::retry;
  int retries = 1;
  std::string trial_time_limit;
  int max = 0;
  int max_consecutive = 0;

  FailurePolicy of(trials::TrialStatus status) const;
  /// Seconds; 0: none.
  double trial_seconds() const;
};
template <class Fields>
void describe(Fields& fields, FailureOptions& options) {
  fields("diverged",
         options.diverged,
         "a trial whose loss or weights are not finite: record it as it is, or retry it, which "
         "on a processor gives the same again");
  fields(
      "out_of_memory",
      options.out_of_memory,
      "a trial that got no more memory; retry_with_fewer: when nothing else is left to "
      "give out, and beside half as many trials as otherwise run at once, then a quarter, ...");
  fields("timed_out", options.timed_out, "a trial past failures.trial_time_limit");
  fields("failed", options.failed, "a trial that ended with any other error");
  fields("retries", options.retries, "further attempts of one trial before it is recorded");
  fields("trial_time_limit",
         options.trial_time_limit,
         "time that one trial may train and validate, all its launches together, in seconds or "
         "as 90m, 1h30m; empty: any");
  fields("max",
         options.max,
         "trials of a stage that may be out of memory, past their time or failed before the "
         "study stops, those of earlier launches counted; 0: any number");
  fields("max_consecutive",
         options.max_consecutive,
         "the same one after the other, in the order in which they end; 0: any number");
}
void validate(const FailureOptions& options);

/// Whether the trial came to nothing. A learning rate that diverges is a finding, not a fault.
bool is_failure(const trials::TrialResult& result);

/// Stops a study in which all trials fail alike.
class FailureLimits {
 public:
  explicit FailureLimits(const FailureOptions& options) : options_(options) {}
  /// Throws core::DataError once there are too many.
  /// Each trial once; `now`: it ended in this launch.
  void add(const std::string& key, const trials::TrialResult& result, bool now);

 private:
  const FailureOptions& options_;
  std::set<std::string> failed_;
  int in_a_row_ = 0;
};

}  // namespace proxytune::jobs
