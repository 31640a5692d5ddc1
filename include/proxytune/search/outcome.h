#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxytune/core/table.h"
#include "proxytune/trials/trial.h"

namespace proxytune::search {

/// One trial of a search: what was proposed and what came of it.
struct Proposal {
  int index = 0;
  std::vector<double> unit_point{};  // in [0,1]^d
  trials::HyperParameters hyper_parameters{};
  std::string key{};  // of its trial, as far as it came; two proposals may mean the same trial
  bool finished = false;
  bool scored = false;  // with a Dice; otherwise the reward is the failed one
  trials::TrialStatus status = trials::TrialStatus::completed;
  double reward = 0;     // best validation Dice where it ended, or the reward of a failure
  double told = 0;       // to the controller: of a stopped trial, what it would have come to
  int rung = 0;          // where it ended; without rungs all end at 0
  int epochs = 0;        // that were trained
  int other_epochs = 0;  // of these, with another arm's data and network
  trials::EarlyStop early_stop{};  // what was asked for
  bool operator==(const Proposal&) const = default;
};

struct SearchOutcome {
  std::vector<Proposal> proposals;                     // by index
  std::optional<trials::HyperParameters> policy_mean;  // of a controller that learns
  bool operator==(const SearchOutcome&) const = default;
};

/// Of the proposals that were scored and finished, those that came to the highest rung; of them
/// the one with the highest reward, the earliest of equals; none if every trial failed.
std::optional<Proposal> best(const SearchOutcome& outcome);

/// How much was trained; of proposals of equal hyper-parameters, which are one training, the
/// longer one counts.
struct Trained {
  int trainings = 0;
  int epochs = 0;        // of the arm that searches
  int other_epochs = 0;  // of the arms that its rungs name
};
Trained trained(const SearchOutcome& outcome);

/// One row a proposal; `path` is "/search/<arm>". `fields` names the space's dimensions.
core::Table trace_table(const SearchOutcome& outcome,
                        const std::vector<std::string>& fields,
                        const std::string& path);

/// One line a proposal, exact: to hand rank 0's outcome to the other ranks.
std::string to_text(const SearchOutcome& outcome);
SearchOutcome outcome_from_text(std::string_view text);

}  // namespace proxytune::search
