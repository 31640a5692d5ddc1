#include "training/training_run.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "proxytune/core/error.h"
#include "proxytune/network/weights_file.h"
#include "proxytune/training/trial_failure.h"
#include "training/scoring.h"

namespace proxytune::training {
namespace {

network::UNet network_of(const TrainingTask& task) {
  network::UNet network(task.network);
  network.set_precision(task.precision);
  return network;
}

}  // namespace

Training::Training(const TrainingTask& task,
                   const datasets::CaseSource& cases,
                   const std::atomic<bool>& stop,
                   Checkpoints* checkpoints,
                   Team& team,
                   trials::TrialResult& result)
    : task_(task),
      cases_(cases),
      stop_(stop),
      checkpoints_(checkpoints),
      team_(team),
      result_(result),
      network_(network_of(task)),
      optimizer_(optimizer_for(network_, task.hyper_parameters, task.training)),
      gradient_(network_, team, task.training),
      sampler_(cases,
               task.training_cases,
               task.training,
               task.hyper_parameters,
               task.network.out_channels,
               task.key) {
  if (!restore())
    begin();
}

void Training::begin() {
  if (task_.start_weights.empty())
    initialise(network_, task_.key.with("weights"));
  else
    load_state(
        network_, network::load_weights(task_.start_weights), task_.start_weights.string());
}

/// What the leader's checkpoints hold.
std::optional<std::string> Training::kept() const {
  constexpr const char* none = "none";
  constexpr const char* some = "some";
  std::string text = team_.from_leader([&]() -> std::string {
    std::optional<std::string> found =
        checkpoints_ == nullptr ? std::nullopt : checkpoints_->load();
    return found ? some + *found : none;
  });
  if (text == none)
    return std::nullopt;
  return text.substr(std::string_view(some).size());
}

bool Training::restore() {
  const std::optional<std::string> text = kept();
  if (!text)
    return false;
  std::string why = "another rank cannot read it";
  const auto restored = team_.share([&]() -> Team::Numbers {
    try {
      restore(*text);
      return {1};
    } catch (const core::DataError& error) {
      why = error.what();
      return {0};
    }
  });
  const bool all =
      std::ranges::all_of(restored, [](const Team::Numbers& one) { return one.front() == 1; });
  if (!all && team_.leads())
    checkpoints_->refuse(why);
  return all;
}

void Training::restore(const std::string& text) {
  TrainingState state = decode(text, network_.state());
  const int epochs = task_.training.epochs;
  if (state.at.epoch > epochs || (state.at.epoch < epochs && !state.optimizer))
    throw core::DataError("it stands in epoch " + std::to_string(state.at.epoch) + " of " +
                          std::to_string(epochs) +
                          (state.optimizer ? "" : " and has no moments"));
  const auto stop = trials::stop_epoch(
      task_.early_stop, state.result.validated, state.result.validation_dice);
  if (stop && (state.at.epoch > *stop || (state.at.epoch == *stop && state.at.step > 0)))
    throw core::DataError("it is beyond the " + std::to_string(*stop) +
                          " epochs after which the training is to stop");
  load_state(network_, state.weights, "the checkpoint");
  if (state.optimizer)
    optimizer_.restore(std::move(*state.optimizer));
  best_ = std::move(state.best);
  at_ = std::move(state.at);
  result_ = std::move(state.result);
}

std::shared_ptr<Model> Training::run(
    const std::function<void(int epoch, double loss)>& on_epoch) {
  try {
    while (at_.epoch < task_.training.epochs && !stops_early()) {
      train_epoch(on_epoch);
      if (validation_is_due())
        validate_epoch();
      const int next = at_.epoch + 1;
      at_ = {};
      at_.epoch = next;
    }
  } catch (const core::Stopped&) {
    keep();
    throw;
  }
  if (at_.epoch == task_.training.epochs)
    return best_model();
  keep();
  return nullptr;
}

bool Training::stops_early() const {
  return trials::stop_epoch(task_.early_stop, result_.validated, result_.validation_dice) ==
         at_.epoch;
}

/// All ranks stop, run out of time, or keep, as soon as one has to.
void Training::pause() {
  const auto due = team_.share([&]() -> Team::Numbers {
    stop_if_asked(stop_);
    const double seconds = result_.seconds + watch_.seconds();
    if (task_.time_limit > 0 && seconds > task_.time_limit)
      throw TrialFailure(
          trials::TrialStatus::timed_out,
          "took longer than its time limit, in epoch " + std::to_string(at_.epoch));
    return {checkpoints_ != nullptr && checkpoints_->due() ? 1.0 : 0.0};
  });
  if (due.front().front() != 0)
    keep();
}

void Training::keep() {
  if (checkpoints_ == nullptr || !team_.leads())
    return;
  TrainingState state{at_, result_, network_.state(), best_, optimizer_.state()};
  state.result.seconds += watch_.seconds();
  if (phase_)
    state.result.*(phase_->sum) += phase_->watch.seconds();
  checkpoints_->save(encode(state));
}

void Training::end_phase() {
  result_.*(phase_->sum) += phase_->watch.seconds();
  phase_.reset();
}

void Training::train_epoch(const std::function<void(int epoch, double loss)>& on_epoch) {
  // Where a checkpoint was made within the validation, all steps are done.
  if (result_.loss.size() > static_cast<std::size_t>(at_.epoch))
    return;
  phase_ = {&trials::TrialResult::training_seconds, {}};
  network_.set_training(true);
  const auto steps = sampler_.steps(at_.epoch);
  while (at_.step < static_cast<int>(steps.size())) {
    pause();
    at_.loss_sum += step(steps[static_cast<std::size_t>(at_.step)]);
    ++at_.step;
  }
  result_.loss.push_back(at_.loss_sum / static_cast<double>(steps.size()));
  end_phase();
  if (on_epoch)
    on_epoch(at_.epoch, result_.loss.back());
}

double Training::step(const std::vector<int>& positions) {
  const auto patches = static_cast<int>(positions.size()) * sampler_.patches_per_case();
  const double loss =
      gradient_(patches, [&](int begin, int end) { return cut(positions, begin, end); });
  if (!std::isfinite(loss))
    throw TrialFailure(trials::TrialStatus::diverged,
                       "the loss was not finite in epoch " + std::to_string(at_.epoch) +
                           ", step " + std::to_string(result_.steps));
  update(network_, optimizer_);
  ++result_.steps;
  return loss;
}

/// Of the step's patches those from `begin` to before `end`.
Patches Training::cut(const std::vector<int>& positions, int begin, int end) {
  const int per_case = sampler_.patches_per_case();
  const auto count = static_cast<std::size_t>(end - begin);
  const std::size_t voxels = voxels_of(sampler_.patch());
  const std::size_t values = voxels * static_cast<std::size_t>(sampler_.channels());
  images_.resize(count * values);
  labels_.resize(count * voxels);
  for (std::size_t i = 0; i < count; ++i) {
    const int patch = begin + static_cast<int>(i);
    sampler_.cut(at_.epoch,
                 positions[static_cast<std::size_t>(patch / per_case)],
                 patch % per_case,
                 std::span(images_).subspan(i * values, values),
                 std::span(labels_).subspan(i * voxels, voxels));
  }
  return {images_, labels_};
}

bool Training::validation_is_due() const {
  return (at_.epoch + 1) % task_.training.validate_every == 0 ||
         at_.epoch + 1 == task_.training.epochs;
}

void Training::validate_epoch() {
  phase_ = {&trials::TrialResult::validation_seconds, {}};
  refuse_weights_that_are_not_finite();
  trials::CaseScores scores{task_.network.out_channels - 1, std::move(at_.scored)};
  at_.scored.clear();
  const std::span<const int> all(task_.validation_cases);
  while (static_cast<std::size_t>(scores.cases()) < all.size()) {
    at_.scored = scores.dice;
    pause();
    const std::span<const int> rest = all.subspan(static_cast<std::size_t>(scores.cases()));
    // As many as the team scores at once.
    const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(team_.size()));
    const auto next =
        score_cases(network_, team_, cases_, rest.first(count), task_.training, stop_);
    scores.dice.insert(scores.dice.end(), next.dice.begin(), next.dice.end());
  }
  judge(std::move(scores));
  end_phase();
}

void Training::refuse_weights_that_are_not_finite() const {
  for (const auto& [name, tensor] : network_.state())
    if (!tensor.isfinite().all().item<bool>())
      throw TrialFailure(
          trials::TrialStatus::diverged,
          "the weights " + name + " were not finite after epoch " + std::to_string(at_.epoch));
}

void Training::judge(trials::CaseScores scores) {
  const double dice = scores.mean();
  result_.validated.push_back(at_.epoch);
  result_.validation_dice.push_back(dice);
  if (std::isnan(result_.best_validation_dice))
    result_.validation = scores;
  if (dice > result_.best_validation_dice ||
      (!std::isnan(dice) && std::isnan(result_.best_validation_dice))) {
    result_.best_validation_dice = dice;
    result_.best_epoch = at_.epoch;
    result_.validation = std::move(scores);
    best_ = network_.state();
    for (network::NamedTensor& named : best_)
      named.tensor = named.tensor.clone();
  }
}

/// Without a validation score, the weights at the end.
std::shared_ptr<Model> Training::best_model() {
  if (!best_.empty())
    load_state(network_, best_, "the best epoch");
  network_.set_training(false);
  return std::make_shared<Model>(std::make_shared<Model::State>(std::move(network_)));
}

}  // namespace proxytune::training
