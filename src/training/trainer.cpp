#include "proxytune/training/trainer.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <new>
#include <string>

#include "proxytune/core/error.h"
#include "proxytune/network/weights_file.h"
#include "proxytune/training/patches.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace proxytune::training {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

network::UNet starting_network(const TrainingTask& task) {
  network::UNet network(task.network);
  network.set_precision(task.precision);
  if (task.start_weights.empty())
    initialise(network, task.key.with("weights"));
  else
    load_state(network, network::load_weights(task.start_weights), task.start_weights.string());
  return network;
}

void check(const TrainingTask& task) {
  validate(task.training);
  network::check_patch(task.network, reversed(task.training.patch), "training.patch");
  network::check_patch(task.network, reversed(task.training.window), "training.window");
  if (task.training_cases.empty())
    throw core::DataError("there is no case to train with. Give at least one.");
}

/// One training under way: network, optimizer, patches, and the best state so far.
class Training {
 public:
  Training(const TrainingTask& task,
           const datasets::CaseSource& cases,
           const std::atomic<bool>& stop,
           trials::TrialResult& result)
      : task_(task),
        cases_(cases),
        stop_(stop),
        result_(result),
        network_(starting_network(task)),
        optimizer_(optimizer_for(network_, task.hyper_parameters)),
        sampler_(cases,
                 task.training_cases,
                 task.training,
                 task.hyper_parameters,
                 task.network.out_channels,
                 task.key) {}

  std::shared_ptr<Model> run(const std::function<void(int epoch, double loss)>& on_epoch) {
    for (int epoch = 0; epoch < task_.training.epochs; ++epoch) {
      const Stopwatch watch;
      const auto steps = sampler_.steps(epoch);
      double sum = 0;
      network_.set_training(true);
      for (const std::vector<int>& positions : steps) {
        stop_if_asked(stop_);
        sum += step(epoch, positions);
      }
      result_.loss.push_back(sum / static_cast<double>(steps.size()));
      result_.training_seconds += watch.seconds();
      if (on_epoch)
        on_epoch(epoch, result_.loss.back());
      if (validation_is_due(epoch))
        validate_epoch(epoch);
    }
    return best_model();
  }

 private:
  double step(int epoch, const std::vector<int>& positions) {
    const auto per_case = static_cast<std::size_t>(sampler_.patches_per_case());
    const std::size_t patches = positions.size() * per_case;
    const std::size_t voxels = voxels_of(sampler_.patch());
    const std::size_t values = voxels * static_cast<std::size_t>(sampler_.channels());
    images_.resize(patches * values);
    labels_.resize(patches * voxels);
    for (std::size_t i = 0; i < patches; ++i)
      sampler_.cut(epoch,
                   positions[i / per_case],
                   static_cast<int>(i % per_case),
                   std::span(images_).subspan(i * values, values),
                   std::span(labels_).subspan(i * voxels, voxels));
    const auto images = channels_last(
        images_, static_cast<int>(patches), sampler_.channels(), sampler_.patch());
    const double loss =
        training_step(network_, optimizer_, task_.training.loss, images, labels_);
    if (!std::isfinite(loss))
      throw Diverged("the loss was not finite in epoch " + std::to_string(epoch) + ", step " +
                     std::to_string(result_.steps));
    ++result_.steps;
    return loss;
  }

  bool validation_is_due(int epoch) const {
    return (epoch + 1) % task_.training.validate_every == 0 ||
           epoch + 1 == task_.training.epochs;
  }

  void validate_epoch(int epoch) {
    const Stopwatch watch;
    for (const auto& [name, tensor] : network_.state())
      if (!tensor.isfinite().all().item<bool>())
        throw Diverged("the weights " + name + " were not finite after epoch " +
                       std::to_string(epoch));
    trials::CaseScores scores =
        score_cases(network_, cases_, task_.validation_cases, task_.training, stop_);
    const double dice = scores.mean();
    result_.validated.push_back(epoch);
    result_.validation_dice.push_back(dice);
    if (std::isnan(result_.best_validation_dice))
      result_.validation = scores;
    if (dice > result_.best_validation_dice ||
        (!std::isnan(dice) && std::isnan(result_.best_validation_dice))) {
      result_.best_validation_dice = dice;
      result_.best_epoch = epoch;
      result_.validation = std::move(scores);
      best_ = network_.state();
      for (network::NamedTensor& named : best_)
        named.tensor = named.tensor.clone();
    }
    result_.validation_seconds += watch.seconds();
  }

  /// Without a validation score, the weights at the end.
  std::shared_ptr<Model> best_model() {
    if (!best_.empty())
      load_state(network_, best_, "the best epoch");
    network_.set_training(false);
    return std::make_shared<Model>(std::make_shared<Model::State>(std::move(network_)));
  }

  const TrainingTask& task_;
  const datasets::CaseSource& cases_;
  const std::atomic<bool>& stop_;
  trials::TrialResult& result_;
  network::UNet network_;
  Optimizer optimizer_;
  PatchSampler sampler_;
  std::vector<float> images_;
  std::vector<std::uint8_t> labels_;
  std::vector<network::NamedTensor> best_;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

void fail(TrainedModel& trained, trials::TrialStatus status, const std::string& reason) {
  trained.result.status = status;
  trained.result.reason = reason;
}

}  // namespace

TrainedModel train(const TrainingTask& task,
                   const datasets::CaseSource& cases,
                   const std::atomic<bool>& stop,
                   const std::function<void(int epoch, double loss)>& on_epoch) {
  const Stopwatch watch;
  const FlushDenormals flush;
  TrainedModel trained;
  trained.result.best_validation_dice = nan;
  try {
    check(task);
    trained.model = Training(task, cases, stop, trained.result).run(on_epoch);
  } catch (const Diverged& error) {
    fail(trained, trials::TrialStatus::diverged, error.what());
  } catch (const std::bad_alloc&) {
    fail(trained, trials::TrialStatus::out_of_memory, "the process got no more memory");
  } catch (const c10::OutOfMemoryError& error) {
    fail(trained,
         trials::TrialStatus::out_of_memory,
         first_line(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string reason = first_line(error.what_without_backtrace());
    const bool memory = reason.find("allocate memory") != std::string::npos;
    fail(trained,
         memory ? trials::TrialStatus::out_of_memory : trials::TrialStatus::failed,
         reason);
  } catch (const core::Stopped&) {
    throw;
  } catch (const core::SystemError&) {
    throw;
  } catch (const std::exception& error) {
    fail(trained, trials::TrialStatus::failed, first_line(error.what()));
  }
  trained.result.seconds = watch.seconds();
  return trained;
}

}  // namespace proxytune::training
