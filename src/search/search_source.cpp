#include "proxytune/search/search_source.h"

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
      sequence_(options, space_, key) {}

bool SearchSource::exhausted() const {
  return sequence_.proposed() == sequence_.total();
}

std::optional<work::Item> SearchSource::next() {
  while (sequence_.may_propose()) {
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
  Proposal proposal;
  proposal.index = sequence_.proposed();
  proposal.unit_point = sequence_.propose();
  proposal.hyper_parameters = at(space_, base_, proposal.unit_point);
  proposal.key = trials::trial_key(make_spec_(proposal.hyper_parameters));
  auto& same = by_key_[proposal.key];
  if (!same.empty() && proposals_[same.front()].finished) {
    const Proposal& earlier = proposals_[same.front()];
    proposal.finished = true;
    proposal.scored = earlier.scored;
    proposal.status = earlier.status;
    proposal.reward = earlier.reward;
    sequence_.report(proposal.index, proposal.reward);
  }
  same.push_back(proposals_.size());
  proposals_.push_back(std::move(proposal));
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
    sequence_.report(proposal.index, proposal.reward);
  }
}

SearchOutcome SearchSource::outcome() const {
  SearchOutcome outcome{proposals_, std::nullopt};
  if (const auto mean = sequence_.policy_mean())
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
