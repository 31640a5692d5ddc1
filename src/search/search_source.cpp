#include "proxytune/search/search_source.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace proxytune::search {

SearchSource::SearchSource(const SearchOptions& options,
                           const trials::HyperParameters& base,
                           const core::RandomKey& key,
                           SpecMaker make_spec)
    : options_(options),
      space_{options.space},
      base_(base),
      make_spec_(std::move(make_spec)),
      controller_(make_controller(options, space_, key)),
      total_(std::min(options.trials, controller_->limit())) {}

bool SearchSource::exhausted() const {
  return std::ssize(proposals_) == total_;
}

bool SearchSource::may_propose() const {
  const auto next = static_cast<int>(proposals_.size());
  return next < total_ &&
         static_cast<int>(finished_in_a_row_) >= next - options_.concurrency + 1;
}

std::optional<work::Item> SearchSource::next() {
  while (may_propose()) {
    propose();
    const Proposal& proposal = proposals_.back();
    const auto& same = by_key_.at(proposal.key);
    // A trial that was proposed before has, or will have, a result for this proposal too.
    if (same.size() > 1)
      continue;
    return work::Item{.key = proposal.key,
                      .what = trials::to_record(make_spec_(proposal.hyper_parameters))};
  }
  return std::nullopt;
}

void SearchSource::propose() {
  const auto index = static_cast<int>(proposals_.size());
  tell_controller(index - options_.concurrency + 1);
  Proposal proposal;
  proposal.index = index;
  proposal.unit_point = controller_->propose(index);
  proposal.hyper_parameters = at(space_, base_, proposal.unit_point);
  proposal.key = trials::trial_key(make_spec_(proposal.hyper_parameters));
  auto& same = by_key_[proposal.key];
  if (!same.empty() && proposals_[same.front()].finished) {
    const Proposal& earlier = proposals_[same.front()];
    proposal.finished = true;
    proposal.scored = earlier.scored;
    proposal.status = earlier.status;
    proposal.reward = earlier.reward;
  }
  same.push_back(proposals_.size());
  proposals_.push_back(std::move(proposal));
  settle();
}

void SearchSource::report(const work::Item& item, const work::Record& record) {
  const auto found = by_key_.find(item.key);
  if (found == by_key_.end())
    throw std::logic_error("a result of a trial that this search did not propose");
  const trials::TrialResult result = trials::result_from_record(record);
  const bool scored = result.status == trials::TrialStatus::completed &&
                      std::isfinite(result.best_validation_dice);
  for (const std::size_t position : found->second) {
    Proposal& proposal = proposals_[position];
    proposal.finished = true;
    proposal.scored = scored;
    proposal.status = result.status;
    proposal.reward = scored ? result.best_validation_dice : options_.failed_reward;
  }
  settle();
}

void SearchSource::settle() {
  while (finished_in_a_row_ < proposals_.size() && proposals_[finished_in_a_row_].finished)
    ++finished_in_a_row_;
  // No proposal waits for the last results, but the policy's mean should know them.
  if (static_cast<int>(finished_in_a_row_) == total_)
    tell_controller(total_);
}

void SearchSource::tell_controller(int count) {
  for (; told_ < count; ++told_)
    controller_->report(told_, proposals_[static_cast<std::size_t>(told_)].reward);
}

SearchOutcome SearchSource::outcome() const {
  SearchOutcome outcome{proposals_, std::nullopt};
  if (told_ == total_)
    if (const auto mean = controller_->policy_mean())
      outcome.policy_mean = at(space_, base_, *mean);
  return outcome;
}

core::Table SearchSource::trace_table(const std::string& path) const {
  std::vector<std::string> fields;
  for (const Dimension& dimension : space_.dimensions)
    fields.push_back(dimension.field);
  return search::trace_table(outcome(), fields, path);
}

}  // namespace proxytune::search
