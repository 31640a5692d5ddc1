#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/datasets/case_source.h"
#include "proxytune/imaging/volume.h"
#include "proxytune/network/precision.h"
#include "proxytune/network/unet_options.h"
#include "proxytune/training/checkpoints.h"
#include "proxytune/training/options.h"
#include "proxytune/training/team.h"
#include "proxytune/trials/trial.h"

// No LibTorch here: whoever starts a training need not compile it.
namespace proxytune::training {

struct TrainingTask;
struct TrainedModel;

/// A network with its weights, ready for inference.
class Model {
 public:
  /// Weights from a file that torch.save or save() wrote, MONAI's names; throws
  /// core::DataError.
  static Model load(const network::UNetOptions& options,
                    const std::filesystem::path& weights,
                    network::Precision precision = network::Precision::f32);
  struct State;
  explicit Model(std::shared_ptr<State> state) : state_(std::move(state)) {}

  /// A file that torch.load(weights_only=True) reads and MONAI's UNet accepts; temporary name,
  /// sync, rename. Throws core::SystemError.
  void save(const std::filesystem::path& weights) const;
  /// Classes of a preprocessed image by sliding-window inference.
  imaging::LabelVolume predict(const imaging::VolumeView& image,
                               const TrainingOptions& options) const;
  /// Dice of each of these cases and foreground classes. Throws core::Stopped when `stop` is
  /// set, between two batches of windows. A team, each rank of which has this model, shares the
  /// cases, or the windows of each where that is sooner done; the scores are the same.
  trials::CaseScores score(const datasets::CaseSource& cases,
                           const std::vector<int>& indices,
                           const TrainingOptions& options,
                           const std::atomic<bool>& stop = false,
                           Team* team = nullptr) const;

 private:
  friend std::string finished_state(const TrainingTask& task, const TrainedModel& trained);
  std::shared_ptr<State> state_;
};

struct TrainingTask {
  network::UNetOptions network;
  TrainingOptions training;
  trials::HyperParameters hyper_parameters;
  std::vector<int> training_cases;  // positions in the source
  std::vector<int> validation_cases;
  core::RandomKey key;                  // of the trial: all its random numbers hang on it
  std::filesystem::path start_weights;  // empty: random initialisation
  network::Precision precision = network::Precision::f32;
  double time_limit = 0;  // seconds of training and validation; 0: none
  trials::EarlyStop early_stop{};
};

struct TrainedModel {
  trials::TrialResult result;
  std::shared_ptr<Model> model;  // best validation weights; null unless completed
};

/// Trains and validates one model on this rank's device; divergence, lack of memory, a time
/// limit that has passed and throws become a status of the result; where nothing could be
/// validated the model has the last weights and best_epoch is -1. Where it is to stop early its
/// state is in `checkpoints`, from which the same training with a later stop goes on. Throws
/// core::Stopped when `stop` is set, between two steps, with its state in `checkpoints` if they
/// are given, and lets core::SystemError through, which is not the trial's fault. `rank`,
/// `host` and `weights_file` of the result are the caller's, seconds include those of the
/// attempts that it goes on from. `on_epoch` may be empty.
///
/// With a team all its ranks call this with the same task and cases, a `stop` that may be each
/// one's own, and `checkpoints` of which the leader's alone are loaded and saved, while the
/// others' are told of steps. What ends the training of one ends it, in the same way, on all;
/// all have the model. Collective over the team.
TrainedModel train(const TrainingTask& task,
                   const datasets::CaseSource& cases,
                   const std::atomic<bool>& stop,
                   const std::function<void(int epoch, double loss)>& on_epoch,
                   Checkpoints* checkpoints = nullptr,
                   Team* team = nullptr);

/// The state of a training that has come to its end: where it is loaded, train() gives this
/// model at once. For whoever is stopped while it uses the model.
std::string finished_state(const TrainingTask& task, const TrainedModel& trained);

/// Everything outside the study file that results depend on: LibTorch's version, instruction
/// set and what oneDNN is held to (empty: nothing), threads of an operation, precision, kind of
/// device (and its name on a GPU).
struct Numerics {
  std::string libtorch;
  std::string instruction_set;
  std::string onednn_limit;
  int threads_per_trial = 1;
  network::Precision precision = network::Precision::f32;
  std::string device = "cpu";
  /// How ranks that share a trial add up; by another than the ordered one, also their number.
  std::string reduction = "ordered";
};
/// Sets this process up (threads, allocator, determinism, device) and says what it resolved to.
/// Once a process, before anything else here. `local_rank` picks the device.
Numerics set_up_numerics(int threads_per_trial,
                         int local_rank,
                         network::Precision wanted = network::Precision::f32);

/// Measured seconds of one training step and of one inference window batch, and the peak of
/// resident memory (bytes) that a trial of this task adds to its cases, of which the largest to
/// be scored has so many voxels. With 0 steps the memory alone.
struct StepCost {
  double training_step_seconds = 0;
  double inference_step_seconds = 0;
  double memory_bytes = 0;
};
StepCost measure_step(const network::UNetOptions& network,
                      const TrainingOptions& training,
                      int steps,
                      network::Precision precision = network::Precision::f32,
                      std::size_t largest_case = 0);

}  // namespace proxytune::training
