#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/search/median_rule.h"
#include "proxytune/search/outcome.h"
#include "proxytune/search/search_options.h"
#include "proxytune/search/sequence.h"
#include "proxytune/search/successive_halving.h"
#include "proxytune/trials/trial.h"
#include "proxytune/work/distribute.h"

namespace proxytune::search {

/// The specification of an arm (empty: the one that searches) for given hyper-parameters,
/// trained to its end.
using SpecMaker =
    std::function<trials::TrialSpec(const trials::HyperParameters&, const std::string& arm)>;

/// Turns a controller's Sequence into pieces of work, a trial's way from rung to rung in as
/// many pieces: neither the number of ranks nor their speed changes a proposal, nor who goes
/// on, and a search that is fed the journal's results makes the same proposals again. A piece's
/// result is a TrialResult's record; two proposals of the same trial are one piece.
class SearchSource : public work::Source {
 public:
  /// `base` holds the fields that the space does not search.
  SearchSource(const SearchOptions& options,
               const trials::HyperParameters& base,
               const core::RandomKey& key,
               SpecMaker make_spec);

  /// Called with each new proposal and the controller's state hash after it.
  using Listener = std::function<void(const Proposal& proposal, const std::string& state)>;
  void on_proposal(Listener listener) { listener_ = std::move(listener); }

  /// Called with the key of a trial, trained to its end, when nobody will go on any more from
  /// what was kept of it where it stopped.
  void on_stopped(std::function<void(const std::string& key)> listener) {
    stopped_ = std::move(listener);
  }

  /// As many as there are to be, if no trial fails.
  int pieces() const { return halving_.pieces(); }

  std::optional<work::Item> next() override;
  bool exhausted() const override { return finished_ == sequence_.total(); }
  void report(const work::Item& item, const work::Record& result) override;

  /// Towards which rung a piece that was handed out leads: scores are compared within one.
  int rung_of(const work::Item& item) const;

  /// Of what was proposed so far; `policy_mean` once all trials are finished.
  SearchOutcome outcome() const;
  core::Table trace_table(const std::string& path) const;
  /// What was trained of this proposal last; of any outcome of such a search.
  trials::TrialSpec spec_of(const Proposal& proposal) const;
  /// That, and before it what was trained of other arms, each as far as it went.
  std::vector<trials::TrialSpec> specs_of(const Proposal& proposal) const;

 private:
  struct Step {
    int trial = 0;
    int rung = 0;
  };
  /// All steps that are this piece, and what came of it.
  struct Piece {
    std::vector<Step> steps;
    std::optional<trials::TrialResult> result;
  };

  void propose();
  void take(const Step& step, const trials::TrialResult& result);
  void finish(Proposal& proposal);
  void tell_of_bracket(int trial);
  void aim(Proposal& proposal, int rung) const;
  std::string whole_key(const trials::HyperParameters& hyper_parameters, int rung) const;
  std::string arm_of(int rung) const;
  void enter(const Proposal& proposal, int rung);
  void leave(const Proposal& proposal, int rung);
  void go_on(const Proposal& proposal, int rung);
  Proposal& proposal(int trial) { return proposals_[static_cast<std::size_t>(trial)]; }

  SearchOptions options_;
  SearchSpace space_;
  trials::HyperParameters base_;
  SpecMaker make_spec_;
  Sequence sequence_;
  SuccessiveHalving halving_;
  Listener listener_;
  std::function<void(const std::string&)> stopped_;
  std::vector<Proposal> proposals_;
  std::deque<Step> ready_;               // to be handed out
  std::map<std::string, Piece> pieces_;  // by key
  std::map<std::string, int> in_play_;   // proposals that may go on, by whole trial's key
  std::map<int, int> epochs_before_;     // of other arms, by trial
  std::optional<MedianRule> median_;
  /// What the first proposal of a whole trial was asked, by its key.
  std::map<std::string, trials::EarlyStop> asked_;
  int finished_ = 0;  // proposals
};

}  // namespace proxytune::search
