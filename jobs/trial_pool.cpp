#include "jobs/trial_pool.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <set>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/study/files.h"

namespace proxytune::jobs {
namespace {

std::string network_text(const network::UNetOptions& options) {
  return fmt::format("in_channels: {}\nout_channels: {}\n{}",
                     options.in_channels,
                     options.out_channels,
                     config::to_yaml(options));
}

std::string said(const trials::HyperParameters& hp) {
  return fmt::format("{} {:.3g}, shift {:.2f}",
                     core::to_string(hp.optimizer),
                     hp.learning_rate,
                     hp.shift_probability);
}

std::vector<std::string> sorted_keys(const Cases& cases, const std::vector<int>& positions) {
  std::vector<std::string> keys;
  for (const int position : positions)
    keys.push_back(cases.keys()[static_cast<std::size_t>(position)]);
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// One line per finished trial: done/total, what, how good, best so far, time left.
class ProgressLines {
 public:
  ProgressLines(const Study& study,
                core::ProgressBar& bar,
                std::string label,
                std::size_t total)
      : study_(study), bar_(bar), label_(std::move(label)), total_(total) {}

  void operator()(const work::Progress& progress) {
    const trials::TrialResult result = trials::result_from_record(*progress.result);
    if (result.status == trials::TrialStatus::completed &&
        result.best_validation_dice > best_) {
      best_ = result.best_validation_dice;
      bar_.best(best_);
    }
    if (progress.rank < 0)
      return;  // from an earlier launch or stage
    ++done_here_;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    const std::size_t left = total_ > progress.done ? total_ - progress.done : 0;
    study_.log().info(
        fmt::format("{} [{}/{}] {}: {} (best {:.4f}), {:.1f} s on rank {}, {} left",
                    label_,
                    progress.done,
                    total_,
                    said(trials::spec_from_record(progress.item->what).hyper_parameters),
                    outcome(result),
                    best_,
                    result.seconds,
                    progress.rank,
                    core::duration_text(elapsed.count() / static_cast<double>(done_here_) *
                                        static_cast<double>(left))));
  }

 private:
  static std::string outcome(const trials::TrialResult& result) {
    if (result.status == trials::TrialStatus::completed)
      return fmt::format("validation Dice {:.4f}", result.best_validation_dice);
    return fmt::format("{}, {}", core::to_string(result.status), result.reason);
  }

  const Study& study_;
  core::ProgressBar& bar_;
  std::string label_;
  std::size_t total_;
  std::size_t done_here_ = 0;
  double best_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

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

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

work::Item item_of(const trials::TrialSpec& spec, double cost) {
  return {trials::trial_key(spec), trials::to_record(spec), cost};
}

std::size_t distinct(const std::vector<work::Item>& items) {
  std::set<std::string> keys;
  for (const work::Item& item : items)
    keys.insert(item.key);
  return keys.size();
}

TrialPool::TrialPool(Study& study, const PreparedData& data)
    : study_(study),
      data_(data),
      training_text_(config::to_yaml(study.options().training) +
                     imaging::identity(study.options().preprocessing)) {
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
    text += "start_weights: " + core::content_hash(study::read_file(one.start_weights)) + "\n";
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
  spec.network = texts_.at(network);
  spec.training = training_text_;
  spec.training_cases = sorted_keys(data_.internal, split.training);
  spec.validation_cases = sorted_keys(data_.internal, split.validation);
  spec.external_cases = data_.external.keys();
  std::sort(spec.external_cases.begin(), spec.external_cases.end());
  spec.repeat = repeat;
  spec.seed = study_.options().seed;
  spec.keep_weights = keep_weights;
  return spec;
}

double TrialPool::expected_cost(const trials::TrialSpec& spec) const {
  const network::UNetOptions& network = networks_.at(spec.network).options;
  // Activations, not parameters, take the time: they grow with the channels of the first level.
  return static_cast<double>(network.channels * (1 + network.residual_units)) *
         static_cast<double>(spec.training_cases.size() + spec.validation_cases.size());
}

std::vector<int> TrialPool::positions(const Cases& cases,
                                      const std::vector<std::string>& keys) const {
  std::vector<int> result;
  for (const std::string& key : keys)
    result.push_back(cases.index_of(key));
  return result;
}

work::Record TrialPool::run_one(const work::Item& item) const {
  const auto start = std::chrono::steady_clock::now();
  const trials::TrialSpec spec = trials::spec_from_record(item.what);
  const TrialNetwork& network = networks_.at(spec.network);
  const training::TrainingTask task{
      .network = network.options,
      .training = study_.options().training,
      .hyper_parameters = spec.hyper_parameters,
      .training_cases = positions(data_.internal, spec.training_cases),
      .validation_cases = positions(data_.internal, spec.validation_cases),
      .key = random_key(spec),
      .start_weights = network.start_weights,
      .precision = study_.numerics().precision};
  training::TrainedModel trained =
      training::train(task, data_.internal, study_.stop(), [](int, double) {});
  const analysis::ExternalScores external = finish(trained, spec, item.key);
  trained.result.host = comm::host_name();
  trained.result.rank = study_.world().rank();
  trained.result.seconds = seconds_since(start);
  work::Record record = trials::to_record(trained.result);
  analysis::add_external(record, external);
  return record;
}

core::RandomKey TrialPool::random_key(trials::TrialSpec spec) const {
  // What is only scored, or only kept, must not change what is trained.
  spec.external_cases.clear();
  spec.keep_weights = false;
  return study_.random().with("trial").with(trials::trial_key(spec));
}

analysis::ExternalScores TrialPool::finish(training::TrainedModel& trained,
                                           const trials::TrialSpec& spec,
                                           const std::string& key) const {
  analysis::ExternalScores external;
  external.scores.classes = data_.classes - 1;
  if (!trained.model)
    return external;
  const auto start = std::chrono::steady_clock::now();
  try {
    for (const int index : positions(data_.external, spec.external_cases)) {
      if (study_.stop())
        throw core::Stopped("stopped while scoring the external cases");
      const trials::CaseScores one =
          trained.model->score(data_.external, {index}, study_.options().training);
      external.scores.dice.insert(external.scores.dice.end(), one.dice.begin(), one.dice.end());
    }
  } catch (const core::Error&) {
    throw;
  } catch (const std::exception& error) {
    // Too large an external volume is the trial's failure, not the program's end.
    trained.result.status = dynamic_cast<const std::bad_alloc*>(&error) != nullptr
                                ? trials::TrialStatus::out_of_memory
                                : trials::TrialStatus::failed;
    trained.result.reason = fmt::format("while scoring the external cases: {}", error.what());
    external.scores.dice.clear();
    return external;
  }
  trained.result.external_seconds = seconds_since(start);
  if (spec.keep_weights) {
    trained.result.weights_file = "weights/" + key + ".pt";
    trained.model->save(study_.folder() / trained.result.weights_file);
  }
  return external;
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
    const work::Record* result = study_.finished("trial", item.key);
    if (result == nullptr)
      continue;
    const std::string file = trials::result_from_record(*result).weights_file;
    if (file.empty() || std::filesystem::exists(study_.folder() / file))
      continue;
    study_.log().warn(fmt::format("{} is gone; its training runs again", file));
    study_.forget("trial", item.key);
  }
}

std::map<std::string, work::Record> TrialPool::run(const std::string& label,
                                                   work::Source& source,
                                                   std::size_t total) {
  core::ProgressBar bar(study_.log(), label, total);
  ProgressLines lines(study_, bar, label, total);
  WithoutExternalScores walled(source);
  return study_.distribute(
      "trial",
      bar,
      walled,
      [&](const work::Item& item) { return run_one(item); },
      [&](const work::Item& item) { return lost(item); },
      [&](const work::Progress& progress) { lines(progress); },
      /*short_pieces=*/false);
}

}  // namespace proxytune::jobs
