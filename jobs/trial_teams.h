#pragma once

#include <functional>
#include <memory>
#include <string>

#include "jobs/study_options.h"
#include "proxytune/comm/communicator.h"
#include "proxytune/training/team.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// The ranks in teams, each of which does one trial at a time together: neighbours, as many as
/// asked for, fewer in the last one. Of a team its leader is given the pieces of work; it calls
/// the others for each.
class TrialTeams {
 public:
  /// Collective over `world`, which outlives it.
  TrialTeams(comm::Communicator& world, int ranks_per_trial, training::Reduction reduction);

  /// Ranks of the largest team, and of this rank's.
  int largest() const { return largest_; }
  int size() const { return ranks_->size(); }
  int count() const { return count_; }
  /// Whether any team has two ranks or more.
  bool any() const { return largest_ > 1; }
  bool leads() const { return ranks_->is_root(); }
  /// For one trial.
  training::Team team();
  /// How many there are, and of how many ranks.
  const std::string& text() const { return text_; }

  /// On a leader: has the others do this piece too, or go home.
  void call(const work::Item& piece);
  void dismiss();
  /// On the others: does each piece that the leader calls for, until dismissed.
  void serve(const std::function<void(const work::Item&)>& piece);

 private:
  void tell(const std::string& text);

  std::unique_ptr<comm::Communicator> ranks_;
  std::unique_ptr<comm::Communicator> control_;
  training::Reduction reduction_;
  int largest_ = 1;
  int count_ = 1;
  std::string text_;
};

/// Throws core::ConfigurationError where the fastest reduction would meet teams of different
/// sizes, in any stage.
void require_whole_teams(int ranks, const StudyOptions& options);

/// Into how many parts so many ranks divide a whole step.
int parts_of_step(const StudyOptions& options, int ranks);

}  // namespace proxytune::jobs
