#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "jobs/replay.h"
#include "jobs/searched_options.h"
#include "jobs/stages.h"
#include "jobs/trial_pool.h"
#include "jobs/warm_start.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/search/outcome.h"
#include "proxytune/search/search_source.h"
#include "proxytune/study/checkpoint.h"

namespace proxytune::jobs {
namespace {

std::vector<std::string> fields_of(const search::SearchOptions& options) {
  std::vector<std::string> fields;
  for (const search::Dimension& dimension : options.space)
    fields.push_back(dimension.field);
  return fields;
}

/// Notes every proposal, exactly, and the controller's state in the journal, once in all
/// launches.
class ProposalNotes {
 public:
  ProposalNotes(const Study& study, std::string arm) : study_(study), arm_(std::move(arm)) {
    for (const work::Event& event : study.journal().past().events)
      if (event.kind == kind)
        noted_.insert(event.key + work::to_json(event.data));
  }

  void note(const search::Proposal& proposal, const std::string& state) {
    const std::string key = fmt::format("{}/{}", arm_, proposal.index);
    work::Record what = work::Record()
                            .set("unit_point", proposal.unit_point)
                            .set("trial", proposal.key)
                            .set("controller", state);
    trials::add_to(what, proposal.early_stop);
    if (noted_.insert(key + work::to_json(what)).second)
      study_.journal().note({.kind = kind, .stage = "search", .key = key, .data = what});
  }

 private:
  static constexpr const char* kind = "proposed";
  const Study& study_;
  std::string arm_;
  std::set<std::string> noted_;
};

/// How far its trials were trained, of how far they would have been.
std::string trained_text(const std::string& arm,
                         const search::SearchOutcome& outcome,
                         int epochs_of_a_trial) {
  const auto stopped = std::count_if(
      outcome.proposals.begin(), outcome.proposals.end(), [](const search::Proposal& proposal) {
        return proposal.status == trials::TrialStatus::stopped_early;
      });
  const search::Trained trained = search::trained(outcome);
  return fmt::format("search {}: trained {} of {} epochs{}, {} of {} trials stopped early",
                     arm,
                     trained.epochs,
                     trained.trainings * epochs_of_a_trial,
                     trained.other_epochs > 0
                         ? fmt::format(" and {} of other arms", trained.other_epochs)
                         : std::string(),
                     stopped,
                     outcome.proposals.size());
}

ArmSearch search_arm(Study& study,
                     TrialPool& pool,
                     const ArmOptions& arm,
                     const Selection& selection) {
  search::SearchOptions options = resolved_search(study.options());
  options.first_points = first_points(study, arm.name, options);
  options.replay_points = replay_points(study, arm.name, options);
  // Repeat 0: a search compares hyper-parameters on one split with one start, as the paper's
  // does.
  const auto make_spec = [&](const trials::HyperParameters& hp, const std::string& other) {
    const ArmOptions& whose = other.empty() ? arm : study.options().arm(other);
    return pool.spec(whose.network, selection.splits.at(whose.name).front(), hp, 0, false);
  };
  search::SearchSource source(options,
                              base_of(study.options()),
                              study.random().with("search").with(arm.name),
                              make_spec);
  ProposalNotes notes(study, arm.name);
  source.on_proposal([&](const search::Proposal& proposal, const std::string& state) {
    notes.note(proposal, state);
  });
  source.on_stopped([&](const std::string& key) {
    study::CheckpointFile(study.folder() / "checkpoints", key, {}).remove();
  });
  const auto results = pool.run("search " + arm.name,
                                source,
                                static_cast<std::size_t>(source.pieces()),
                                [&](const work::Item& item) { return source.rung_of(item); });
  const search::SearchOutcome outcome = search::outcome_from_text(
      comm::from_root(study.world(), [&] { return search::to_text(source.outcome()); }));

  ArmSearch found;
  found.arm = arm.name;
  if (const auto best = search::best(outcome))
    found.best = best->hyper_parameters;
  found.trace = search::trace_table(outcome, fields_of(options), "/search/" + arm.name);
  for (const search::Proposal& proposal : outcome.proposals)
    for (const trials::TrialSpec& spec : source.specs_of(proposal))
      found.trials.push_back({arm.name, proposal.index, 0, pool.record(spec, results)});
  if (options.halving || options.median_stopping)
    study.log().info(trained_text(arm.name, outcome, study.options().training.epochs));
  if (found.best)
    study.log().info(fmt::format("search {}: best {}", arm.name, said(*found.best)));
  else if (study.world().is_root())
    study.log().warn(
        fmt::format("every trial of the search of arm {} failed, so it has no final "
                    "model; `proxytune status` lists the reasons",
                    arm.name));
  return found;
}

}  // namespace

std::vector<ArmSearch> search(Study& study,
                              const PreparedData& data,
                              const Selection& selection) {
  study.account().enter("search");
  TrialPool pool(study, data, study.options().compute.ranks_per_trial);
  std::vector<ArmSearch> searches;
  for (const ArmOptions& arm : study.options().search_arms())
    searches.push_back(search_arm(study, pool, arm, selection));
  return searches;
}

}  // namespace proxytune::jobs
