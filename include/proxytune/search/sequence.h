#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/search/controller.h"

namespace proxytune::search {

/// A controller's proposals where several trials are open at once: proposal k is made from
/// exactly the rewards of trials 0 to k - concurrency, told to the controller in trial order
/// whatever order they are reported in. One slow trial holds back the proposals `concurrency`
/// and more behind it, and no others.
class Sequence {
 public:
  Sequence(const SearchOptions& options, const SearchSpace& space, const core::RandomKey& key);

  /// Trials of the whole search: as many as asked for, or as the controller has.
  int total() const { return total_; }
  int proposed() const { return static_cast<int>(rewards_.size()); }
  /// Whether the next proposal's results are there; false too when there is none.
  bool may_propose() const;
  /// The point of trial proposed(); std::logic_error unless may_propose().
  std::vector<double> propose();
  /// The reward of a proposed trial. The first one counts.
  void report(int index, double reward);
  /// The controller's, once it has been told of all trials.
  std::optional<std::vector<double>> policy_mean() const;

 private:
  void tell(int count);

  int concurrency_;
  std::unique_ptr<Controller> controller_;
  int total_;
  std::vector<std::optional<double>> rewards_;  // one a proposal
  int in_a_row_ = 0;                            // leading proposals that have theirs
  int told_ = 0;                                // leading proposals that the controller knows
};

}  // namespace proxytune::search
