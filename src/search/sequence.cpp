#include "proxytune/search/sequence.h"

#include <algorithm>
#include <stdexcept>

namespace proxytune::search {

Sequence::Sequence(const SearchOptions& options,
                   const SearchSpace& space,
                   const core::RandomKey& key)
    : concurrency_(options.concurrency),
      controller_(make_controller(options, space, key)),
      total_(std::min(options.trials, controller_->limit())) {}

bool Sequence::may_propose() const {
  return proposed() < total_ && in_a_row_ >= proposed() - concurrency_ + 1;
}

std::vector<double> Sequence::propose() {
  if (!may_propose())
    throw std::logic_error("a proposal was asked for before the results that it needs");
  const int index = proposed();
  tell(index - concurrency_ + 1);
  rewards_.emplace_back();
  return controller_->propose(index);
}

void Sequence::report(int index, double reward) {
  std::optional<double>& known = rewards_.at(static_cast<std::size_t>(index));
  if (known)
    return;
  known = reward;
  while (in_a_row_ < proposed() && rewards_[static_cast<std::size_t>(in_a_row_)])
    ++in_a_row_;
  // No proposal waits for the last results, but the policy's mean should know them.
  if (in_a_row_ == total_)
    tell(total_);
}

void Sequence::tell(int count) {
  for (; told_ < count; ++told_)
    controller_->report(told_, *rewards_[static_cast<std::size_t>(told_)]);
}

std::optional<std::vector<double>> Sequence::policy_mean() const {
  return told_ == total_ ? controller_->policy_mean() : std::nullopt;
}

}  // namespace proxytune::search
