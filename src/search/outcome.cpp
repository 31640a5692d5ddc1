#include "proxytune/search/outcome.h"

#include <algorithm>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "proxytune/core/error.h"
#include "proxytune/work/record.h"

namespace proxytune::search {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

work::Record to_record(const Proposal& proposal) {
  work::Record record = trials::to_record(proposal.hyper_parameters);
  record.set("index", std::int64_t{proposal.index});
  record.set("unit_point", proposal.unit_point);
  record.set("key", proposal.key);
  record.set("finished", proposal.finished);
  record.set("scored", proposal.scored);
  record.set("status", core::to_string(proposal.status));
  record.set("reward", proposal.reward);
  record.set("told", proposal.told);
  record.set("rung", std::int64_t{proposal.rung});
  record.set("epochs", std::int64_t{proposal.epochs});
  record.set("other_epochs", std::int64_t{proposal.other_epochs});
  trials::add_to(record, proposal.early_stop);
  return record;
}

Proposal proposal_from_record(const work::Record& record) {
  return {.index = static_cast<int>(record.integer("index")),
          .unit_point = record.numbers("unit_point"),
          .hyper_parameters = trials::hyper_parameters_from_record(record),
          .key = record.text("key"),
          .finished = record.boolean("finished"),
          .scored = record.boolean("scored"),
          .status = core::from_string<trials::TrialStatus>(record.text("status")),
          .reward = record.number("reward"),
          .told = record.number("told"),
          .rung = static_cast<int>(record.integer("rung")),
          .epochs = static_cast<int>(record.integer("epochs")),
          .other_epochs = static_cast<int>(record.integer("other_epochs")),
          .early_stop = trials::early_stop_from_record(record)};
}

/// Collects one value of each proposal.
template <class T, class Get>
std::vector<T> column(const SearchOutcome& outcome, const Get& get) {
  std::vector<T> values;
  for (const Proposal& proposal : outcome.proposals)
    values.push_back(get(proposal));
  return values;
}

/// Whether it is the better choice: scores of different rungs are not compared.
bool is_better(const Proposal& proposal, const Proposal* than) {
  return proposal.finished && proposal.scored &&
         (than == nullptr ||
          std::pair(proposal.rung, proposal.reward) > std::pair(than->rung, than->reward));
}

std::vector<double> best_so_far(const SearchOutcome& outcome) {
  const Proposal* found = nullptr;
  return column<double>(outcome, [&](const Proposal& proposal) {
    if (is_better(proposal, found))
      found = &proposal;
    return found == nullptr ? nan : found->reward;
  });
}

}  // namespace

std::optional<Proposal> best(const SearchOutcome& outcome) {
  const Proposal* found = nullptr;
  for (const Proposal& proposal : outcome.proposals)
    if (is_better(proposal, found))
      found = &proposal;
  return found == nullptr ? std::nullopt : std::optional(*found);
}

Trained trained(const SearchOutcome& outcome) {
  std::map<std::string, Trained> longest;
  for (const Proposal& proposal : outcome.proposals) {
    Trained& one = longest[work::to_json(trials::to_record(proposal.hyper_parameters))];
    one.epochs = std::max(one.epochs, proposal.epochs - proposal.other_epochs);
    one.other_epochs = std::max(one.other_epochs, proposal.other_epochs);
  }
  Trained sum{.trainings = static_cast<int>(longest.size())};
  for (const auto& [hyper_parameters, one] : longest) {
    sum.epochs += one.epochs;
    sum.other_epochs += one.other_epochs;
  }
  return sum;
}

core::Table trace_table(const SearchOutcome& outcome,
                        const std::vector<std::string>& fields,
                        const std::string& path) {
  core::Table table{path, "the trials of one search, in the order of proposal", {}};
  table.add("proposal",
            "1",
            "number of the trial in this search, from 0",
            column<std::int64_t>(outcome, [](const Proposal& p) { return p.index; }));
  for (std::size_t i = 0; i < fields.size(); ++i)
    table.add("unit_" + trials::column_of(fields[i]),
              "1",
              fields[i] + " as a coordinate of the search space, 0 to 1",
              column<double>(outcome, [i](const Proposal& p) { return p.unit_point.at(i); }));
  trials::add_hyper_parameters(table,
                               column<trials::HyperParameters>(outcome, [](const Proposal& p) {
                                 return p.hyper_parameters;
                               }));
  table.add("key",
            "1",
            "identity of the trial; equal where two proposals are the same trial",
            column<std::string>(outcome, [](const Proposal& p) { return p.key; }));
  table.add(
      "status", "1", "how the trial ended", column<std::string>(outcome, [](const Proposal& p) {
        return p.finished ? core::to_string(p.status) : std::string("open");
      }));
  table.add(
      "reward",
      "1",
      "best validation Dice where it ended, or the reward of a failure",
      column<double>(outcome, [](const Proposal& p) { return p.finished ? p.reward : nan; }));
  table.add(
      "told",
      "1",
      "the reward that the controller was told: of a trial that successive halving "
      "stopped, raised by what those of its bracket that went on gained",
      column<double>(outcome, [](const Proposal& p) { return p.finished ? p.told : nan; }));
  table.add("best_reward",
            "1",
            "reward of the best of this trial and those before it: of those that came to the "
            "highest rung, the highest",
            best_so_far(outcome));
  table.add("rung",
            "1",
            "rung of successive halving at which it ended, from 0; those at the highest were "
            "trained to their end",
            column<std::int64_t>(outcome, [](const Proposal& p) { return p.rung; }));
  table.add("epochs",
            "epoch",
            "epochs that were trained",
            column<std::int64_t>(outcome, [](const Proposal& p) { return p.epochs; }));
  return table;
}

std::string to_text(const SearchOutcome& outcome) {
  std::string text;
  for (const Proposal& proposal : outcome.proposals)
    text += "proposal " + work::to_json(to_record(proposal)) + "\n";
  if (outcome.policy_mean)
    text += "policy_mean " + work::to_json(trials::to_record(*outcome.policy_mean)) + "\n";
  return text;
}

SearchOutcome outcome_from_text(std::string_view text) {
  SearchOutcome outcome;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    const std::string kind = line.substr(0, space);
    if (space == std::string::npos || (kind != "proposal" && kind != "policy_mean"))
      throw core::DataError("\"" + line + "\" is no line of a search's outcome.");
    const work::Record record = work::from_json(std::string_view(line).substr(space + 1));
    if (kind == "proposal")
      outcome.proposals.push_back(proposal_from_record(record));
    else
      outcome.policy_mean = trials::hyper_parameters_from_record(record);
  }
  return outcome;
}

}  // namespace proxytune::search
