#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "proxytune/trials/trial.h"

namespace proxytune::training {

/// What ends a trial, with a status, but not the program.
class TrialFailure : public std::runtime_error {
 public:
  TrialFailure(trials::TrialStatus status, const std::string& reason)
      : std::runtime_error(reason), status_(status) {}
  trials::TrialStatus status() const { return status_; }

 private:
  trials::TrialStatus status_;
};

/// What the exception being handled means for the trial that threw it; nothing where it is not
/// the trial's: core::Stopped and core::SystemError. Call it inside a catch block only.
std::optional<TrialFailure> failure_of_trial();

}  // namespace proxytune::training
