#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/search/outcome.h"
#include "proxytune/search/search_options.h"
#include "proxytune/search/sequence.h"
#include "proxytune/trials/trial.h"
#include "proxytune/work/distribute.h"

namespace proxytune::search {

/// The arm's specification for given hyper-parameters.
using SpecMaker = std::function<trials::TrialSpec(const trials::HyperParameters&)>;

/// Turns a controller's Sequence into pieces of work: neither the number of ranks nor their
/// speed changes a proposal, and a search that is fed the journal's results makes the same
/// proposals again. A piece's result is
/// a TrialResult's record; two proposals of the same trial are one piece.
class SearchSource : public work::Source {
 public:
  /// `base` holds the fields that the space does not search.
  SearchSource(const SearchOptions& options,
               const trials::HyperParameters& base,
               const core::RandomKey& key,
               SpecMaker make_spec);

  std::optional<work::Item> next() override;
  bool exhausted() const override;
  void report(const work::Item& item, const work::Record& result) override;

  /// Of what was proposed so far; `policy_mean` once all trials are finished.
  SearchOutcome outcome() const;
  core::Table trace_table(const std::string& path) const;

 private:
  void propose();

  SearchOptions options_;
  SearchSpace space_;
  trials::HyperParameters base_;
  SpecMaker make_spec_;
  Sequence sequence_;
  std::vector<Proposal> proposals_;
  std::map<std::string, std::vector<std::size_t>> by_key_;
};

}  // namespace proxytune::search
