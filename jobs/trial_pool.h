#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "jobs/spent_checkpoints.h"
#include "jobs/stages.h"
#include "jobs/trial_attempt.h"
#include "jobs/trial_costs.h"
#include "jobs/trial_lines.h"
#include "jobs/trial_teams.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// Runs trials of a study on all ranks. A trial is known by its content: whichever stage or arm
/// asks for it, it is trained once.
class TrialPool {
 public:
  /// `ranks_per_trial` ranks do each trial together. Collective.
  TrialPool(Study& study, const PreparedData& data, int ranks_per_trial);

  /// What training on this split with this network and these hyper-parameters means.
  trials::TrialSpec spec(const std::string& network,
                         const Split& split,
                         const trials::HyperParameters& hyper_parameters,
                         int repeat,
                         bool keep_weights) const;

  /// What came of it, with the values of the options that the study searches.
  analysis::TrialRecord record(const trials::TrialSpec& spec,
                               const std::map<std::string, work::Record>& results) const;

  /// A piece of a list.
  work::Item item(const trials::TrialSpec& spec) const;

  /// Finished trials whose weights file has been removed are to run again.
  void forget_lost_weights(const std::vector<work::Item>& items);

  /// Runs these trials, each key once, longest expected first; progress lines begin with
  /// `label`. Collective. The results, by trial key, are on every rank.
  std::map<std::string, work::Record> run_list(const std::string& label,
                                               const std::vector<work::Item>& items);
  /// Runs all of the source's trials, of which `total` are to be expected; asked on rank 0,
  /// after a trial's report, `fidelity` says with which ones its score compares. Collective.
  std::map<std::string, work::Record> run(const std::string& label,
                                          work::Source& source,
                                          std::size_t total,
                                          Fidelity fidelity);

 private:
  using Results = std::map<std::string, work::Record>;  // by trial key

  Results run(TrialLines& lines, core::ProgressBar& bar, work::Source& source);
  void add_network(const std::string& name);
  work::Record run_one(const work::Item& item);
  work::Record help_with(const work::Item& item);
  Results lead(const std::function<Results()>& all);
  Results help(const std::function<Results()>& all);
  void help_or_leave(const work::Item& item);
  void require_time_for_a_step(const std::string& network);
  int at_once();
  int places();
  double memory_of_a_trial() const;
  work::Record lost(const work::Item& item) const;
  work::Again again(const work::Record& result, int attempt) const;

  Study& study_;
  const PreparedData& data_;
  std::map<std::string, std::string> texts_;      // canonical text of a network, by its name
  std::map<std::string, TrialNetwork> networks_;  // by canonical text
  TrialCosts costs_;  // used by rank 0's manager thread while trials run
  std::mutex mutex_;
  /// Longest seen on this rank, by canonical text of the network.
  std::map<std::string, double> first_step_seconds_;
  SpentCheckpoints spent_;
  TrialTeams teams_;
};

}  // namespace proxytune::jobs
