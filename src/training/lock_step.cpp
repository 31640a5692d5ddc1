#include "training/lock_step.h"

#include <thread>

#include <ATen/Parallel.h>

#include "training/flush_denormals.h"

namespace proxytune::training {

LockStep::LockStep(Team& team, const Granules& granules)
    : team_(team),
      granules_(granules),
      mine_{granules.first_of(team.rank()), granules.first_of(team.rank() + 1)} {
  if (mine_.length() == 0) {
    counts_ = false;
    mine_ = {0, 1};
  }
  locks_.resize(static_cast<std::size_t>(count()));
  told_.resize(locks_.size());
}

void LockStep::run(const std::function<void(int granule, Seat& seat)>& pass) {
  const auto one = [&](std::size_t place) {
    std::unique_lock lock(mutex_);
    locks_[place] = &lock;
    if (error_)
      return;
    try {
      Seat seat(*this, place);
      pass(first() + static_cast<int>(place), seat);
    } catch (...) {
      if (!error_)
        error_ = std::current_exception();
      met_.notify_all();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t place = 1; place < locks_.size(); ++place)
        others.emplace_back([&one, place] {
          at::init_num_threads();  // each thread that trains has its own number
          const FlushDenormals flush;
          one(place);
        });
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      error_ = std::current_exception();
      met_.notify_all();
    }
    one(0);
  }
  if (error_)
    std::rethrow_exception(error_);
}

/// The last to come brings the ranks together; the others let it work.
std::vector<double> LockStep::meet(std::size_t place, const std::vector<double>& mine) {
  if (error_)
    throw Abandoned();
  told_[place] = mine;
  if (++arrived_ == told_.size()) {
    sum_ = sum_over_ranks();
    arrived_ = 0;
    ++meetings_;
    met_.notify_all();
    return sum_;
  }
  const std::size_t meeting = meetings_;
  met_.wait(*locks_[place], [&] { return meetings_ != meeting || error_; });
  if (meetings_ == meeting)
    throw Abandoned();
  return sum_;
}

std::vector<double> LockStep::sum_over_ranks() {
  const std::vector<Team::Numbers> all = team_.share([&] {
    Team::Numbers mine;
    for (const std::vector<double>& numbers : told_)
      if (counts_)
        mine.insert(mine.end(), numbers.begin(), numbers.end());
    return mine;
  });
  const auto length = static_cast<std::ptrdiff_t>(told_.front().size());
  std::vector<std::vector<double>> by_granule;
  for (const Team::Numbers& of_rank : all)
    for (auto from = of_rank.begin(); from != of_rank.end(); from += length)
      by_granule.emplace_back(from, from + length);
  return ordered_sum(by_granule);
}

}  // namespace proxytune::training
