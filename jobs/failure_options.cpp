#include "jobs/failure_options.h"

#include <fmt/format.h>

#include "proxytune/core/duration.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

void refuse_negative(int value, const char* field) {
  if (value < 0)
    throw core::FieldError(field,
                           fmt::format("is {}, but it counts trials: use 0 or more", value));
}

}  // namespace

FailurePolicy FailureOptions::of(trials::TrialStatus status) const {
  switch (status) {
    case trials::TrialStatus::diverged:
      return diverged;
    case trials::TrialStatus::out_of_memory:
      return out_of_memory;
    case trials::TrialStatus::timed_out:
      return timed_out;
    case trials::TrialStatus::failed:
      return failed;
    case trials::TrialStatus::completed:
    case trials::TrialStatus::stopped_early:
    case trials::TrialStatus::lost:
      break;
  }
  return FailurePolicy::record;
}

double FailureOptions::trial_seconds() const {
  return trial_time_limit.empty() ? 0 : core::seconds_of(trial_time_limit).value_or(0);
}

void validate(const FailureOptions& options) {
  refuse_negative(options.retries, "retries");
  refuse_negative(options.max, "max");
  refuse_negative(options.max_consecutive, "max_consecutive");
  if (!options.trial_time_limit.empty() && !(options.trial_seconds() > 0))
    throw core::FieldError("trial_time_limit",
                           fmt::format("is \"{}\", but it is a time above 0: use seconds, or "
                                       "units as in 90m, 1h30m and 2d",
                                       options.trial_time_limit));
}

bool is_failure(const trials::TrialResult& result) {
  return !trials::succeeded(result.status) && result.status != trials::TrialStatus::diverged;
}

void FailureLimits::add(const std::string& key, const trials::TrialResult& result, bool now) {
  if (!is_failure(result)) {
    in_a_row_ = now ? 0 : in_a_row_;
    return;
  }
  if (!failed_.insert(key).second)
    return;
  in_a_row_ += now ? 1 : 0;
  const bool too_many = options_.max > 0 && static_cast<int>(failed_.size()) > options_.max;
  const bool too_many_in_a_row =
      options_.max_consecutive > 0 && in_a_row_ > options_.max_consecutive;
  if (!too_many && !too_many_in_a_row)
    return;
  throw core::DataError(fmt::format(
      "{} trials {}, more than failures.{} allows; the last is {}: {}. Mend that and "
      "repeat the command with --retry failed; what is finished is kept",
      too_many ? static_cast<int>(failed_.size()) : in_a_row_,
      too_many ? "failed" : "in a row failed",
      too_many ? "max" : "max_consecutive",
      core::to_string(result.status),
      result.reason));
}

}  // namespace proxytune::jobs
