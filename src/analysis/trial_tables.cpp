#include "proxytune/analysis/trial_tables.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "proxytune/core/error.h"

namespace proxytune::analysis {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ",") + word;
  return text;
}

void add_keys(core::Table& table, const std::vector<StagedTrial>& trials) {
  std::vector<std::string> keys;
  for (const StagedTrial& staged : trials)
    keys.push_back(staged.trial->key);
  table.add("trial", "1", "Content key of the trial.", keys);
}

struct CaseColumns {
  std::vector<std::string> trials, sets, cases;
  std::vector<std::int64_t> classes;
  std::vector<double> dice;

  void add(const std::string& trial,
           const std::string& set,
           const std::vector<std::string>& keys,
           const trials::CaseScores& scores,
           const std::map<std::string, std::string>& case_names) {
    if (scores.dice.empty())
      return;
    if (scores.classes < 1 ||
        scores.dice.size() != keys.size() * static_cast<std::size_t>(scores.classes))
      throw core::DataError(
          "trial " + trial + " has " + set +
          " scores of another number of cases than it names; its record in the "
          "journal is not of this study.");
    auto score = scores.dice.begin();
    for (const std::string& key : keys)
      for (int label = 1; label <= scores.classes; ++label) {
        const auto name = case_names.find(key);
        trials.push_back(trial);
        sets.push_back(set);
        cases.push_back(name == case_names.end() ? key : name->second);
        classes.push_back(label);
        dice.push_back(*score++);
      }
  }
};

}  // namespace

core::Table trials_table(const std::vector<StagedTrial>& trials, const std::string& path) {
  std::vector<std::string> stages, arms, networks, statuses, weights;
  std::vector<trials::HyperParameters> values;
  std::vector<std::int64_t> repeats, training, validating, trained, epochs;
  std::vector<double> validation, external;
  for (const StagedTrial& staged : trials) {
    const TrialRecord& trial = *staged.trial;
    stages.push_back(staged.stage);
    arms.push_back(joined(staged.arms));
    networks.push_back(trial.spec.network);
    values.push_back(trial.spec.hyper_parameters);
    repeats.push_back(trial.spec.repeat);
    training.push_back(static_cast<std::int64_t>(trial.spec.training_cases.size()));
    validating.push_back(static_cast<std::int64_t>(trial.spec.validation_cases.size()));
    statuses.push_back(core::to_string(trial.result.status));
    trained.push_back(static_cast<std::int64_t>(trial.result.loss.size()));
    epochs.push_back(trial.result.best_epoch);
    validation.push_back(score_of(trial, Score::validation));
    external.push_back(score_of(trial, Score::external));
    weights.push_back(trial.result.weights_file);
  }
  core::Table table{path, "Every trial: what it was and how well it did.", {}};
  add_keys(table, trials);
  table.add("stage", "1", "Stage that ran the trial.", stages);
  table.add("arms", "1", "Arms that the trial belongs to, separated by commas.", arms);
  table.add("network", "1", "Options of the network.", networks);
  add_hyper_parameters(table, values);
  table.add("repeat", "1", "Repeat, counted from 0.", repeats);
  table.add("training_cases", "1", "Number of training cases.", training);
  table.add("validation_cases", "1", "Number of validation cases.", validating);
  table.add(
      "status",
      "1",
      "How the trial ended; only completed ones have scores, those that were stopped early "
      "of the validation cases.",
      statuses);
  table.add("epochs", "epoch", "Epochs that it was trained.", trained);
  table.add(
      "best_epoch", "epoch", "Epoch of the best validation Dice, from 0; -1: none.", epochs);
  table.add(
      "validation_dice", "1", "Mean foreground Dice on the validation cases.", validation);
  table.add("external_dice", "1", "Mean foreground Dice on the external cases.", external);
  table.add("weights",
            "1",
            "File of the best weights in the study folder; empty: not kept.",
            weights);
  return table;
}

core::Table learning_curves_table(const std::vector<StagedTrial>& trials,
                                  const std::string& path) {
  std::size_t epochs = 1;
  for (const StagedTrial& staged : trials) {
    const trials::TrialResult& result = staged.trial->result;
    epochs = std::max(epochs, result.loss.size());
    for (const std::int64_t epoch : result.validated)
      if (epoch >= 0)
        epochs = std::max(epochs, static_cast<std::size_t>(epoch) + 1);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> losses(trials.size() * epochs, nan);
  std::vector<double> dice(trials.size() * epochs, nan);
  for (std::size_t row = 0; row < trials.size(); ++row) {
    const trials::TrialResult& result = trials[row].trial->result;
    std::copy(result.loss.begin(),
              result.loss.end(),
              losses.begin() + static_cast<std::ptrdiff_t>(row * epochs));
    const std::size_t validations =
        std::min(result.validated.size(), result.validation_dice.size());
    for (std::size_t i = 0; i < validations; ++i)
      if (result.validated[i] >= 0)
        dice[row * epochs + static_cast<std::size_t>(result.validated[i])] =
            result.validation_dice[i];
  }
  core::Table table{path, "Learning curves of every trial by epoch.", {}};
  add_keys(table, trials);
  table.add("loss", "1", "Mean training loss of each epoch.", losses, {trials.size(), epochs});
  table.add("validation_dice",
            "1",
            "Mean foreground Dice after the epochs that validated; missing after the others.",
            dice,
            {trials.size(), epochs});
  return table;
}

core::Table case_scores_table(const std::vector<StagedTrial>& trials,
                              const std::map<std::string, std::string>& case_names,
                              const std::string& path) {
  CaseColumns columns;
  for (const StagedTrial& staged : trials) {
    const TrialRecord& trial = *staged.trial;
    columns.add(trial.key,
                "validation",
                trial.spec.validation_cases,
                trial.result.validation,
                case_names);
    columns.add(
        trial.key, "external", trial.spec.external_cases, trial.external.scores, case_names);
  }
  core::Table table{path, "Dice of every trial, case and class.", {}};
  table.add("trial", "1", "Content key of the trial.", columns.trials);
  table.add("set", "1", "validation or external.", columns.sets);
  table.add("case", "1", "Name of the case.", columns.cases);
  table.add("class", "1", "Foreground class, counted from 1.", columns.classes);
  table.add("dice", "1", "Dice; missing where the truth has none of the class.", columns.dice);
  return table;
}

core::Table execution_table(const std::vector<StagedTrial>& trials,
                            const std::map<std::string, int>& open_starts) {
  std::vector<std::string> stages, hosts, reasons, tails;
  std::vector<double> seconds, device, training, validation, external;
  std::vector<std::int64_t> steps, ranks, attempts;
  for (const StagedTrial& staged : trials) {
    const trials::TrialResult& result = staged.trial->result;
    stages.push_back(staged.stage);
    seconds.push_back(result.seconds);
    device.push_back(result.device_seconds);
    training.push_back(result.training_seconds);
    validation.push_back(result.validation_seconds);
    external.push_back(result.external_seconds);
    steps.push_back(result.steps);
    ranks.push_back(result.rank);
    hosts.push_back(result.host);
    const auto open = open_starts.find("trial/" + staged.trial->key);
    attempts.push_back(1 + result.attempt + (open == open_starts.end() ? 0 : open->second));
    reasons.push_back(result.reason);
    tails.push_back(result.log_tail);
  }
  core::Table table{"/execution/trials", "What every trial cost, and where it ran.", {}};
  add_keys(table, trials);
  table.add("stage", "1", "Stage that ran the trial.", stages);
  table.add("seconds", "s", "Wall time of the trial.", seconds);
  table.add("device_seconds",
            "s",
            "Of that, the trial's share of its rank, which may have had others beside it.",
            device);
  table.add("training_seconds", "s", "Wall time of its training steps.", training);
  table.add("validation_seconds", "s", "Wall time of its validations.", validation);
  table.add("external_seconds", "s", "Wall time of scoring the external cases.", external);
  table.add("steps", "1", "Optimizer steps.", steps);
  table.add("rank", "1", "Rank that ran it.", ranks);
  table.add("host", "1", "Host that ran it.", hosts);
  table.add(
      "attempts",
      "1",
      "Starts: its own, those before that were tried again, and those that never ended and "
      "kept no checkpoint.",
      attempts);
  table.add("reason", "1", "Why a trial did not complete; empty if it did.", reasons);
  table.add("log_tail", "1", "What its rank said last of it, if it did not complete.", tails);
  return table;
}

}  // namespace proxytune::analysis
