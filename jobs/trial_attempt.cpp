#include "jobs/trial_attempt.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "jobs/searched_options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/log_tail.h"
#include "proxytune/training/trial_failure.h"

namespace proxytune::jobs {
namespace {

std::vector<int> positions(const Cases& cases, const std::vector<std::string>& keys) {
  std::vector<int> result;
  for (const std::string& key : keys)
    result.push_back(cases.index_of(key));
  return result;
}

/// What is only scored, or only kept, or where it stops must not change what is trained.
core::RandomKey random_key(const Study& study, trials::TrialSpec spec) {
  spec.early_stop = {};
  spec.external_cases.clear();
  spec.keep_weights = false;
  return study.random().with("trial").with(trials::trial_key(spec));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TrialAttempt::TrialAttempt(Study& study,
                           const PreparedData& data,
                           const TrialNetwork& network,
                           const work::Item& item,
                           training::Team team)
    : study_(study),
      data_(data),
      network_(network),
      key_(item.key),
      attempt_(item.attempt),
      spec_(trials::spec_from_record(item.what)),
      team_(std::move(team)),
      checkpoints_(study,
                   item.key,
                   trials::trial_key(trials::without_early_stop(spec_)),
                   training_options_of(spec_).epochs,
                   team_.size()),
      steps_(study, item.key) {}

training::TrainingTask TrialAttempt::task() const {
  return {.network = network_.options,
          .training = training_options_of(spec_),
          .hyper_parameters = spec_.hyper_parameters,
          .training_cases = positions(data_.internal, spec_.training_cases),
          .validation_cases = positions(data_.internal, spec_.validation_cases),
          .key = random_key(study_, spec_),
          .start_weights = network_.start_weights,
          .precision = study_.numerics().precision,
          .time_limit = study_.options().failures.trial_seconds(),
          .early_stop = spec_.early_stop};
}

work::Record TrialAttempt::run() {
  const core::LogTail tail(study_.log());
  study_.log().detail(fmt::format("attempt {}: {} cases to train on, {} to validate on",
                                  attempt_ + 1,
                                  spec_.training_cases.size(),
                                  spec_.validation_cases.size()));
  const training::TrainingTask task = this->task();
  training::TrainedModel trained = training::train(
      task,
      data_.internal,
      study_.stop(),
      [&](int epoch, double loss) { came_to(epoch + 1, loss); },
      team_.leads() ? static_cast<training::Checkpoints*>(&checkpoints_) : &steps_,
      &team_);
  if (trained.model)
    finish(task, trained);
  trained.result.host = comm::host_name();
  trained.result.rank = study_.world().rank();
  trained.result.attempt = attempt_;
  if (!trials::succeeded(trained.result.status))
    trained.result.log_tail = tail.text();
  trained.result.device_seconds = checkpoints_.device_seconds();
  analysis::ExternalScores external;
  external.scores = {data_.classes - 1, checkpoints_.external_dice};
  work::Record record = trials::to_record(trained.result);
  analysis::add_external(record, external);
  if (spec_.early_stop.after > 0)
    record.set("part_of", trials::trial_key(trials::without_early_stop(spec_)));
  return record;
}

void TrialAttempt::came_to(int epochs, double loss) {
  study_.log().detail(fmt::format("epoch {}: loss {:.6g}", epochs, loss));
  if (team_.leads())
    checkpoints_.reached(epochs);
  else
    study_.account().reach(
        key_, fmt::format("{} of {} epochs done", epochs, study_.options().training.epochs));
}

void TrialAttempt::finish(const training::TrainingTask& task, training::TrainedModel& trained) {
  try {
    team_.together([&] { score_external(task, trained); });
  } catch (...) {
    // Too large an external volume is the trial's failure, not the program's end.
    const auto failure = training::failure_of_trial();
    if (!failure)
      throw;
    trained.result.status = failure->status();
    trained.result.reason =
        fmt::format("while scoring the external cases: {}", failure->what());
    checkpoints_.external_dice.clear();
    return;
  }
  if (spec_.keep_weights && team_.leads()) {
    const auto start = std::chrono::steady_clock::now();
    trained.result.weights_file = "weights/" + key_ + ".pt";
    trained.model->save(study_.folder() / trained.result.weights_file);
    trained.result.seconds += seconds_since(start);
  }
}

void TrialAttempt::score_external(const training::TrainingTask& task,
                                  training::TrainedModel& trained) {
  auto start = std::chrono::steady_clock::now();
  const auto count_time = [&] {
    const double seconds = seconds_since(start);
    start = std::chrono::steady_clock::now();
    trained.result.external_seconds += seconds;
    trained.result.seconds += seconds;
  };
  const auto keep = [&] {
    if (!team_.leads())
      return;
    count_time();
    checkpoints_.save(training::finished_state(task, trained));
  };
  std::vector<double>& dice = checkpoints_.external_dice;
  const std::vector<int> indices = positions(data_.external, spec_.external_cases);
  const auto classes = static_cast<std::size_t>(data_.classes - 1);
  const auto all = static_cast<std::ptrdiff_t>(indices.size());
  // What the leader's checkpoint holds.
  const std::size_t scored = dice.size() / classes;
  auto i = static_cast<std::ptrdiff_t>(
      team_.share([&] { return training::Team::Numbers{static_cast<double>(scored)}; })
          .front()
          .front());
  try {
    while (i < all) {
      if (team_.leads() ? checkpoints_.due() : steps_.due())
        keep();
      const std::ptrdiff_t end = std::min<std::ptrdiff_t>(all, i + team_.size());
      const trials::CaseScores scores =
          trained.model->score(data_.external,
                               {indices.begin() + i, indices.begin() + end},
                               task.training,
                               study_.stop(),
                               &team_);
      dice.insert(dice.end(), scores.dice.begin(), scores.dice.end());
      i = end;
    }
  } catch (const core::Stopped&) {
    keep();
    throw;
  }
  count_time();
}

}  // namespace proxytune::jobs
