#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/training/trainer.h"

#include "tests/training/made_cases.h"

namespace proxytune::test {

inline const std::atomic<bool> never = false;

/// A 3-level proxy on balls in 16^3.
struct Balls {
  Balls() {
    static_cast<void>(numerics());
    for (std::uint64_t seed = 0; seed < 6; ++seed)
      add_ball(cases, 16, seed);
    task.network = {.out_channels = 2, .channels = 4, .levels = 3, .residual_units = 1};
    task.training = {.epochs = 20,
                     .validate_every = 5,
                     .cases_per_step = 2,
                     .patches_per_case = 2,
                     .patch = {16, 16, 16},
                     .window = {16, 16, 16}};
    task.hyper_parameters.learning_rate = 0.01;
    task.training_cases = {0, 1, 2, 3};
    task.validation_cases = {4, 5};
  }
  static const training::Numerics& numerics() {
    static const training::Numerics once = training::set_up_numerics(1, 0);
    return once;
  }
  training::TrainedModel train() const { return training::train(task, cases, never, {}); }

  MadeCases cases;
  training::TrainingTask task{{}, {}, {}, {}, {}, core::RandomKey(3), {}};
};

/// All of a model's state, as its file has it.
inline std::string bytes_of(const training::Model& model) {
  static std::atomic<int> files = 0;
  const auto file =
      std::filesystem::path(::testing::TempDir()) /
      ("proxytune_model_" + std::to_string(::getpid()) + "_" + std::to_string(++files) + ".pt");
  model.save(file);
  std::ifstream stream(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::filesystem::remove(file);
  return bytes;
}

/// All that a training gives but its costs.
inline void expect_same(const training::TrainedModel& one,
                        const training::TrainedModel& other) {
  ASSERT_EQ(one.result.status, trials::TrialStatus::completed) << one.result.reason;
  ASSERT_EQ(other.result.status, trials::TrialStatus::completed) << other.result.reason;
  EXPECT_EQ(one.result.loss, other.result.loss);
  EXPECT_EQ(one.result.validated, other.result.validated);
  EXPECT_EQ(one.result.validation_dice, other.result.validation_dice);
  EXPECT_EQ(one.result.validation.dice, other.result.validation.dice);
  EXPECT_EQ(one.result.best_epoch, other.result.best_epoch);
  EXPECT_EQ(one.result.steps, other.result.steps);
  EXPECT_EQ(bytes_of(*one.model), bytes_of(*other.model));
}

}  // namespace proxytune::test
