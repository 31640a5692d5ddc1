#pragma once

#include <functional>
#include <map>
#include <string>

#include "jobs/stages.h"
#include "jobs/trial_attempt.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// Runs trials of a study on all ranks. A trial is known by its content: whichever stage or arm
/// asks for it, it is trained once.
class TrialPool {
 public:
  /// Collective.
  TrialPool(Study& study, const PreparedData& data);

  /// What training on this split with this network and these hyper-parameters means.
  trials::TrialSpec spec(const std::string& network,
                         const Split& split,
                         const trials::HyperParameters& hyper_parameters,
                         int repeat,
                         bool keep_weights) const;

  /// Patches through a network of so many parameters: orders trials, says nothing of seconds.
  double expected_cost(const trials::TrialSpec& spec) const;

  /// Finished trials whose weights file has been removed are to run again.
  void forget_lost_weights(const std::vector<work::Item>& items);

  /// Runs all of the source's trials; progress lines begin with `label`, `total` counts them.
  /// Collective. The results, by trial key, are on every rank.
  std::map<std::string, work::Record> run(const std::string& label,
                                          work::Source& source,
                                          std::size_t total);

 private:
  void add_network(const std::string& name);
  work::Record run_one(const work::Item& item);
  void remove_spent_checkpoints();
  work::Record lost(const work::Item& item) const;

  Study& study_;
  const PreparedData& data_;
  std::map<std::string, std::string> texts_;      // canonical text of a network, by its name
  std::map<std::string, TrialNetwork> networks_;  // by canonical text
  std::string training_text_;
  std::vector<TrialCheckpoints> spent_;  // of trials that this rank has finished
};

/// A piece of work for work::distribute; `cost` orders the list, largest first.
work::Item item_of(const trials::TrialSpec& spec, double cost);

/// Pieces of different content: arms may share trials.
std::size_t distinct(const std::vector<work::Item>& items);

}  // namespace proxytune::jobs
