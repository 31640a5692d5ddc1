#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "proxytune/ops/batch_sums.h"
#include "proxytune/training/team.h"
#include "training/granules.h"

namespace proxytune::training {

/// Goes through this rank's granules of a batch side by side, because they have sums to make
/// together on their way: each in a thread of its own, of which one at a time works. A rank
/// without a granule does the first one too, and its numbers do not count: so that it meets the
/// others as often as they meet.
class LockStep {
 public:
  /// `team` and `granules` outlive it.
  LockStep(Team& team, const Granules& granules);

  /// A granule's place among the others.
  class Seat : public ops::BatchSums {
   public:
    Seat(LockStep& meeting, std::size_t place) : meeting_(&meeting), place_(place) {}
    /// Over all granules of all ranks, in the tree's order.
    std::vector<double> sum(const std::vector<double>& mine) override {
      return meeting_->meet(place_, mine);
    }

   private:
    LockStep* meeting_;
    std::size_t place_;
  };

  /// Granules that this rank goes through.
  int first() const { return mine_.begin; }
  int count() const { return mine_.length(); }
  /// False: they are another rank's.
  bool counts() const { return counts_; }

  /// `pass` for each of them; the first error is thrown again when all have ended.
  void run(const std::function<void(int granule, Seat& seat)>& pass);

 private:
  struct Abandoned : std::exception {};
  std::vector<double> meet(std::size_t place, const std::vector<double>& mine);
  std::vector<double> sum_over_ranks();

  Team& team_;
  const Granules& granules_;
  Stretch mine_;
  bool counts_ = true;
  std::mutex mutex_;  // held by the thread that works
  std::condition_variable met_;
  std::vector<std::unique_lock<std::mutex>*> locks_;  // by place
  std::vector<std::vector<double>> told_;             // by place
  std::size_t arrived_ = 0;
  std::size_t meetings_ = 0;
  std::vector<double> sum_;
  std::exception_ptr error_;
};

}  // namespace proxytune::training
