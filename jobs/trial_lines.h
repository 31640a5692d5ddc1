#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "jobs/study.h"
#include "jobs/trial_costs.h"

namespace proxytune::jobs {

/// Scores of pieces are compared where this is equal; the highest counts.
using Fidelity = std::function<int(const work::Item&)>;

/// Tells how far a stage's trials are, on rank 0: a line for each finished one (done/total,
/// what, how good, best so far, time left), and for `status` the outlook in the journal.
class TrialLines {
 public:
  /// `units`: what a list's trials will cost, by network; empty for a search, whose trials are
  /// not known beforehand. `fidelity`: none where all scores compare. `places`: trials beside
  /// each other.
  TrialLines(Study& study,
             core::ProgressBar& bar,
             std::string label,
             std::size_t total,
             TrialCosts& costs,
             std::map<std::string, double> units,
             Fidelity fidelity,
             int places);

  void operator()(const work::Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  bool improves(const work::Item& item, const trials::TrialResult& result);
  bool best_is_noted() const;
  std::string said_of(const work::Item& item) const;
  double seconds_left(std::size_t trials_left) const;
  void note_outlook(std::size_t done);

  Study& study_;
  core::ProgressBar& bar_;
  std::string label_;
  std::size_t total_;
  TrialCosts& costs_;
  std::map<std::string, double> units_left_;
  Fidelity fidelity_;
  std::size_t places_;  // trials that run at once
  std::size_t done_here_ = 0;
  int best_fidelity_ = 0;
  double best_ = 0;
  std::string best_said_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_outlook_ = start_;
};

}  // namespace proxytune::jobs
