#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxytune/analysis/trial_tables.h"
#include "proxytune/core/table.h"
#include "proxytune/work/account.h"
#include "proxytune/work/journal.h"

namespace proxytune::jobs {

/// What a launch cost, all its ranks together.
struct LaunchCost {
  std::string launch;
  std::string shard;  // folder of the shard that it was of; empty: of the study itself
  std::string state;  // "ended", "killed", or "at work"
  int ranks = 0;
  double wall_seconds = 0;  // of the rank that was longest at it, to its last word
  std::map<std::string, work::StageSeconds> stages;

  work::StageSeconds total() const;
};

/// A launch whose ranks said this. `at_work`: it is not over.
LaunchCost launch_cost(const std::string& launch,
                       const work::LaunchAccounts& accounts,
                       const std::string& shard,
                       bool at_work);
/// All that a journal tells of, by time; `at_work` is the launch that is not over, if any.
std::vector<LaunchCost> launch_costs(const work::JournalContents& journal,
                                     const std::string& shard,
                                     const std::string& at_work);

/// To travel between ranks.
work::Record to_record(const LaunchCost& cost);
LaunchCost cost_from_record(const work::Record& record);

/// "/execution/launches", one row a launch, and "/execution/costs", one a launch and stage.
core::Table launches_table(const std::vector<LaunchCost>& launches);
core::Table costs_table(const std::vector<LaunchCost>& launches);
/// "/execution/arm_costs": what each arm's trials took in each stage, and how much of that it
/// shares with other arms, each of which shows it.
core::Table arm_costs_table(const std::vector<analysis::StagedTrial>& trials);

/// A line of all of them and one a stage; empty without launches.
std::string costs_text(const std::vector<LaunchCost>& launches);

}  // namespace proxytune::jobs
