#include "jobs/trial_pool.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "jobs/searched_options.h"
#include "jobs/trial_lines.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/core/hash.h"
#include "proxytune/core/progress_bar.h"

namespace proxytune::jobs {
namespace {

std::string network_text(const network::UNetOptions& options) {
  return fmt::format("in_channels: {}\nout_channels: {}\n{}",
                     options.in_channels,
                     options.out_channels,
                     config::to_yaml(options));
}

std::vector<std::string> sorted_keys(const Cases& cases, const std::vector<int>& positions) {
  std::vector<std::string> keys;
  for (const int position : positions)
    keys.push_back(cases.keys()[static_cast<std::size_t>(position)]);
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// The wall: a source, which may be a controller, is told what trials::TrialResult holds and
/// nothing else of a trial.
class WithoutExternalScores : public work::Source {
 public:
  explicit WithoutExternalScores(work::Source& inner) : inner_(inner) {}
  std::optional<work::Item> next() override { return inner_.next(); }
  bool exhausted() const override { return inner_.exhausted(); }
  void report(const work::Item& item, const work::Record& result) override {
    inner_.report(item, trials::to_record(trials::result_from_record(result)));
  }

 private:
  work::Source& inner_;
};

std::string said_of_teams(const TrialTeams& teams, const StudyOptions& options) {
  const bool by_rank = options.compute.reduction == training::Reduction::fastest;
  const int parts = parts_of_step(options, teams.largest());
  std::string text =
      fmt::format("ranks that share a trial: {}; a step of {} patches has {} parts",
                  teams.text(),
                  training::patches_of_step(options.training),
                  parts);
  if (parts < teams.largest())
    text += fmt::format(", so that {} of {} ranks have none{}",
                        teams.largest() - parts,
                        teams.largest(),
                        by_rank ? ""
                                : ": a smaller training.granule makes more, and gives results "
                                  "with other last digits");
  return text;
}

}  // namespace

TrialPool::TrialPool(Study& study, const PreparedData& data, int ranks_per_trial)
    : study_(study),
      data_(data),
      costs_(study.options().training, data),
      spent_(study),
      teams_(study.world(), ranks_per_trial, study.options().compute.reduction) {
  if (teams_.any())
    study.log().info(said_of_teams(teams_, study.options()));
  comm::together(study.world(), [&] {
    for (const std::string& name : study.options().used_networks())
      add_network(name);
  });
}

void TrialPool::add_network(const std::string& name) {
  const NetworkOptions& network = study_.options().network(name);
  TrialNetwork one{network.unet, {}};
  one.options.in_channels = data_.channels;
  one.options.out_channels = data_.classes;
  std::string text = network_text(one.options);
  if (!network.start_weights.empty()) {
    one.start_weights = study_.input(network.start_weights);
    // Reading it finds out now, not in each trial, that it does not fit.
    training::Model::load(one.options, one.start_weights);
    text += "start_weights: " + core::content_hash(core::read_file(one.start_weights)) + "\n";
  }
  texts_[name] = text;
  networks_[text] = one;
}

trials::TrialSpec TrialPool::spec(const std::string& network,
                                  const Split& split,
                                  const trials::HyperParameters& hyper_parameters,
                                  int repeat,
                                  bool keep_weights) const {
  trials::TrialSpec spec;
  spec.hyper_parameters = hyper_parameters;
  spec.hyper_parameters.options.clear();
  spec.network = texts_.at(network);
  spec.training =
      training_text(with_values(study_.options().training, hyper_parameters.options),
                    study_.options().preprocessing);
  spec.training_cases = sorted_keys(data_.internal, split.training);
  spec.validation_cases = sorted_keys(data_.internal, split.validation);
  spec.external_cases = data_.external.keys();
  std::sort(spec.external_cases.begin(), spec.external_cases.end());
  spec.repeat = repeat;
  spec.seed = study_.options().seed;
  spec.keep_weights = keep_weights;
  return spec;
}

analysis::TrialRecord TrialPool::record(
    const trials::TrialSpec& spec, const std::map<std::string, work::Record>& results) const {
  const std::string key = trials::trial_key(spec);
  analysis::TrialRecord record = analysis::trial_record(key, spec, results.at(key));
  record.spec.hyper_parameters = hyper_parameters_of(study_.options(), spec);
  return record;
}

work::Item TrialPool::item(const trials::TrialSpec& spec) const {
  return {trials::trial_key(spec),
          trials::to_record(spec),
          costs_.units(spec, training_options_of(spec), networks_.at(spec.network).options)};
}

work::Record TrialPool::run_one(const work::Item& item) {
  spent_.remove_mine();
  const trials::TrialSpec spec = trials::spec_from_record(item.what);
  require_time_for_a_step(spec.network);
  TrialAttempt attempt(study_, data_, networks_.at(spec.network), item, teams_.team());
  teams_.call(item);
  work::Record record = attempt.run();
  // Another attempt begins anew, since what it kept may be what it fails with.
  const bool tried_again = again(record, item.attempt) != work::Again::no;
  if (tried_again) {
    study_.log().warn(fmt::format(
        "trial {} is tried again: {}", item.key, trials::result_from_record(record).reason));
    attempt.checkpoints().remove();
  }
  // What others go on from stays until it is known that none does; and that file's name is the
  // next attempt's by now.
  const bool gone_on_with =
      trials::result_from_record(record).status == trials::TrialStatus::stopped_early &&
      spec.early_stop.after > 0;
  if (attempt.checkpoints().on_disk() && !gone_on_with && !tried_again)
    spent_.add(attempt.checkpoints());
  const std::scoped_lock lock(mutex_);
  double& longest = first_step_seconds_[spec.network];
  longest = std::max(longest, attempt.checkpoints().first_step_seconds());
  return record;
}

/// On a rank whose leader does the trial.
work::Record TrialPool::help_with(const work::Item& item) {
  const trials::TrialSpec spec = trials::spec_from_record(item.what);
  return TrialAttempt(study_, data_, networks_.at(spec.network), item, teams_.team()).run();
}

work::Again TrialPool::again(const work::Record& result, int attempt) const {
  const FailureOptions& options = study_.options().failures;
  const FailurePolicy policy = options.of(trials::result_from_record(result).status);
  if (policy == FailurePolicy::record || attempt >= options.retries)
    return work::Again::no;
  return policy == FailurePolicy::retry ? work::Again::yes : work::Again::with_fewer;
}

/// A trial that cannot come to a checkpoint before the time limit is not begun.
void TrialPool::require_time_for_a_step(const std::string& network) {
  const std::scoped_lock lock(mutex_);
  const auto known = first_step_seconds_.find(network);
  if (known != first_step_seconds_.end() && study_.clock().seconds_left() < known->second)
    throw core::Stopped("the time left is too short for a step of another trial");
}

int TrialPool::at_once() {
  if (teams_.any())
    return 1;
  return study_.trials_at_once([&] { return memory_of_a_trial(); });
}

/// Trials beside each other. Collective.
int TrialPool::places() {
  return teams_.count() * at_once();
}

/// Of the largest network with the largest case, since any may meet any; without bound where
/// one cannot even be measured.
double TrialPool::memory_of_a_trial() const {
  std::size_t voxels = 0;
  for (const Cases* cases : {&data_.internal, &data_.external})
    for (int i = 0; i < cases->size(); ++i)
      voxels = std::max(voxels, cases->at(i).image.shape.voxels());
  const training::TrainingOptions options = largest_options(study_.options());
  double most = 0;
  try {
    for (const auto& [text, network] : networks_)
      most = std::max(most,
                      training::measure_step(network.options,
                                             options,
                                             /*steps=*/0,
                                             study_.numerics().precision,
                                             voxels)
                          .memory_bytes);
  } catch (const std::exception&) {
    return std::numeric_limits<double>::infinity();
  }
  return most;
}

work::Record TrialPool::lost(const work::Item&) const {
  trials::TrialResult result;
  result.status = trials::TrialStatus::lost;
  result.reason = fmt::format(
      "lost with its rank in {} attempts; see the job's log, "
      "and raise compute.max_attempts to try again",
      study_.options().compute.max_attempts);
  result.best_validation_dice = std::nan("");
  result.validation.classes = data_.classes - 1;
  work::Record record = trials::to_record(result);
  analysis::ExternalScores external;
  external.scores.classes = data_.classes - 1;
  analysis::add_external(record, external);
  return record;
}

void TrialPool::forget_lost_weights(const std::vector<work::Item>& items) {
  for (const work::Item& item : items) {
    const work::Record* result = study_.journal().finished("trial", item.key);
    if (result == nullptr)
      continue;
    const std::string file = trials::result_from_record(*result).weights_file;
    if (file.empty() || std::filesystem::exists(study_.folder() / file))
      continue;
    study_.log().warn(fmt::format("{} is gone; its training runs again", file));
    study_.journal().forget("trial", item.key);
  }
}

std::map<std::string, work::Record> TrialPool::run_list(const std::string& label,
                                                        const std::vector<work::Item>& items) {
  std::map<std::string, work::Item> by_key;
  for (const work::Item& item : items)
    by_key.emplace(item.key, item);
  std::map<std::string, double> units;  // by network
  for (const auto& [key, item] : by_key)
    units[item.what.text("network")] += item.expected_cost;
  work::ListSource source(items, [this](const work::Item& item) {
    return costs_.expected(item.what.text("network"), item.expected_cost);
  });
  core::ProgressBar bar(study_.log(), label, by_key.size());
  TrialLines lines(study_, bar, label, by_key.size(), costs_, std::move(units), {}, places());
  return run(lines, bar, source);
}

std::map<std::string, work::Record> TrialPool::run(const std::string& label,
                                                   work::Source& source,
                                                   std::size_t total,
                                                   Fidelity fidelity) {
  core::ProgressBar bar(study_.log(), label, total);
  TrialLines lines(study_, bar, label, total, costs_, {}, std::move(fidelity), places());
  return run(lines, bar, source);
}

TrialPool::Results TrialPool::run(TrialLines& lines,
                                  core::ProgressBar& bar,
                                  work::Source& source) {
  WithoutExternalScores walled(source);
  FailureLimits limits(study_.options().failures);
  const auto progress = [&](const work::Progress& step) {
    lines(step);
    limits.add(step.item->key, trials::result_from_record(*step.result), step.rank >= 0);
  };
  const auto all = [&] {
    return study_.distribute(
        "trial",
        bar,
        walled,
        [&](const work::Item& item) { return run_one(item); },
        [&](const work::Item& item) { return lost(item); },
        progress,
        /*short_pieces=*/false,
        [&](const work::Record& result, int attempt) { return again(result, attempt); },
        teams_.leads() ? at_once() : 0);
  };
  auto results = teams_.leads() ? lead(all) : help(all);
  spent_.remove_all();
  return results;
}

/// The others of this team go home when this rank does, whatever sends it.
TrialPool::Results TrialPool::lead(const std::function<Results()>& all) {
  struct Dismissal {
    TrialTeams& teams;
    ~Dismissal() {
      try {
        teams.dismiss();
      } catch (const core::SystemError&) {
        // They end with the job, as this rank does.
        return;
      }
    }
  };
  const Dismissal at_the_end{teams_};
  return all();
}

/// Trials in a thread of their own, beside what hears of stops and of the end.
TrialPool::Results TrialPool::help(const std::function<Results()>& all) {
  std::exception_ptr failed;
  Results results;
  {
    const std::jthread helping([&] {
      try {
        teams_.serve([&](const work::Item& item) { help_or_leave(item); });
      } catch (...) {
        failed = std::current_exception();
        study_.stop() = true;
      }
    });
    results = all();
  }
  if (failed)
    std::rethrow_exception(failed);
  return results;
}

/// What ends the whole team's work its leader reports.
void TrialPool::help_or_leave(const work::Item& item) {
  try {
    study_.account_for(
        "trial",
        item,
        [&](const work::Item& piece) { return help_with(piece); },
        [&](const work::Record& result, int attempt) { return again(result, attempt); });
  } catch (const core::Stopped&) {
    return;
  } catch (const core::SystemError&) {
    return;
  }
}

}  // namespace proxytune::jobs
