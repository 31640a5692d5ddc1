#include "proxytune/search/search_source.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace proxytune::search {
namespace {

SuccessiveHalving halving_of(const SearchOptions& options, int trials) {
  return {options.halving.value_or(HalvingOptions{}), trials};
}

bool is_scored(const trials::TrialResult& result) {
  return trials::succeeded(result.status) && std::isfinite(result.best_validation_dice);
}

}  // namespace

SearchSource::SearchSource(const SearchOptions& options,
                           const trials::HyperParameters& base,
                           const core::RandomKey& key,
                           SpecMaker make_spec)
    : options_(options),
      space_{options.space},
      base_(base),
      make_spec_(std::move(make_spec)),
      sequence_(options, space_, key),
      halving_(halving_of(options, sequence_.total())) {
  if (options.median_stopping)
    median_.emplace(*options.median_stopping);
}

std::optional<work::Item> SearchSource::next() {
  for (;;) {
    if (ready_.empty() && sequence_.may_propose())
      propose();
    if (ready_.empty())
      return std::nullopt;
    const Step step = ready_.front();
    ready_.pop_front();
    Proposal& here = proposal(step.trial);
    aim(here, step.rung);
    Piece& piece = pieces_[here.key];
    piece.steps.push_back(step);
    // What was asked for before has, or will have, a result for this step too.
    if (piece.result)
      take(step, *piece.result);
    else if (piece.steps.size() == 1)
      return work::Item{.key = here.key, .what = trials::to_record(spec_of(here))};
  }
}

void SearchSource::propose() {
  Proposal proposal;
  proposal.index = sequence_.proposed();
  proposal.unit_point = sequence_.propose();
  proposal.hyper_parameters = at(space_, base_, proposal.unit_point);
  // A trial that is proposed again is the one that was trained, stopped where that was.
  if (median_)
    proposal.early_stop =
        asked_
            .emplace(whole_key(proposal.hyper_parameters, 0),
                     median_->stop_after(proposal.index - options_.concurrency + 1))
            .first->second;
  const auto same = std::find_if(proposals_.begin() + halving_.first_of_bracket(proposal.index),
                                 proposals_.end(),
                                 [&](const Proposal& earlier) {
                                   return earlier.hyper_parameters == proposal.hyper_parameters;
                                 });
  if (same != proposals_.end())
    halving_.same_as(proposal.index, same->index);
  aim(proposal, 0);
  enter(proposal, 0);
  proposals_.push_back(std::move(proposal));
  ready_.push_back({.trial = proposals_.back().index, .rung = 0});
  if (listener_)
    listener_(proposals_.back(), sequence_.state_hash());
}

std::string SearchSource::arm_of(int rung) const {
  return options_.halving ? options_.halving->arm_of(rung) : "";
}

/// Towards a rung, or the trial's end.
void SearchSource::aim(Proposal& proposal, int rung) const {
  const bool ends = !options_.halving || rung == std::ssize(options_.halving->rungs);
  proposal.early_stop.after =
      ends ? 0 : options_.halving->rungs[static_cast<std::size_t>(rung)].epochs;
  proposal.rung = rung;
  proposal.key = trials::trial_key(spec_of(proposal));
}

trials::TrialSpec SearchSource::spec_of(const Proposal& proposal) const {
  trials::TrialSpec spec = make_spec_(proposal.hyper_parameters, arm_of(proposal.rung));
  spec.early_stop = proposal.early_stop;
  return spec;
}

std::vector<trials::TrialSpec> SearchSource::specs_of(const Proposal& proposal) const {
  std::vector<trials::TrialSpec> specs;
  Proposal earlier = proposal;
  for (int rung = 0; rung < proposal.rung; ++rung)
    if (arm_of(rung) != arm_of(rung + 1)) {
      aim(earlier, rung);
      specs.push_back(spec_of(earlier));
    }
  specs.push_back(spec_of(proposal));
  return specs;
}

int SearchSource::rung_of(const work::Item& item) const {
  int rung = 0;
  for (const Step& step : pieces_.at(item.key).steps)
    rung = std::max(rung, step.rung);
  return rung;
}

std::string SearchSource::whole_key(const trials::HyperParameters& hyper_parameters,
                                    int rung) const {
  return trials::trial_key(make_spec_(hyper_parameters, arm_of(rung)));
}

void SearchSource::report(const work::Item& item, const work::Record& record) {
  const auto found = pieces_.find(item.key);
  if (found == pieces_.end())
    throw std::logic_error("a result of a trial that this search did not propose");
  Piece& piece = found->second;
  if (piece.result)
    return;
  piece.result = trials::result_from_record(record);
  for (const Step& step : piece.steps)
    take(step, *piece.result);
}

void SearchSource::take(const Step& step, const trials::TrialResult& result) {
  Proposal& here = proposal(step.trial);
  here.scored = is_scored(result);
  // What another arm trained to its end is not the end of a trial here.
  const bool ends = here.early_stop.after == 0;
  here.status = !ends && result.status == trials::TrialStatus::completed
                    ? trials::TrialStatus::stopped_early
                    : result.status;
  here.reward = here.scored ? result.best_validation_dice : options_.failed_reward;
  const int before = epochs_before_[step.trial];
  here.epochs = before + static_cast<int>(result.loss.size());
  here.other_epochs = arm_of(step.rung).empty() ? before : here.epochs;
  if (median_)
    median_->add(step.trial, result.validated, result.validation_dice);
  const auto score = here.scored ? std::optional(here.reward) : std::nullopt;
  for (const auto& [trial, goes_on] : halving_.report(step.trial, step.rung, score)) {
    if (goes_on)
      go_on(proposal(trial), step.rung);
    else
      finish(proposal(trial));
  }
  tell_of_bracket(step.trial);
}

/// Once it is settled: how good a trial that was stopped would have become is seen by those
/// that were not.
void SearchSource::tell_of_bracket(int trial) {
  const auto bracket = halving_.settled(trial);
  if (!bracket)
    return;
  for (int index = bracket->first; index < bracket->last; ++index) {
    Proposal& here = proposal(index);
    here.told = halving_.expected_at_the_end(index).value_or(here.reward);
    sequence_.report(index, here.told);
  }
}

/// With its own training, or with another arm's.
void SearchSource::go_on(const Proposal& proposal, int rung) {
  ready_.push_back({.trial = proposal.index, .rung = rung + 1});
  if (arm_of(rung) == arm_of(rung + 1))
    return;
  epochs_before_[proposal.index] = proposal.epochs;
  enter(proposal, rung + 1);
  leave(proposal, rung);
}

void SearchSource::finish(Proposal& proposal) {
  proposal.finished = true;
  proposal.told = proposal.reward;
  ++finished_;
  leave(proposal, proposal.rung);
}

void SearchSource::enter(const Proposal& proposal, int rung) {
  ++in_play_[whole_key(proposal.hyper_parameters, rung)];
}

void SearchSource::leave(const Proposal& proposal, int rung) {
  const std::string whole = whole_key(proposal.hyper_parameters, rung);
  const bool last = --in_play_.at(whole) == 0;
  if (last && stopped_ && (options_.halving || median_))
    stopped_(whole);
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
