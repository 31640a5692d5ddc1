#include "proxytune/training/trainer.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "src/training/peak_memory.h"

#include "tests/training/balls.h"

namespace proxytune::training {
namespace {

using test::Balls;
using test::never;

TEST(NumericsTest, SaysWhatResultsDependOn) {
  const Numerics& numerics = Balls::numerics();
  EXPECT_EQ(numerics.libtorch.substr(0, 2), "2.");
  EXPECT_FALSE(numerics.instruction_set.empty());
  EXPECT_EQ(numerics.threads_per_trial, 1);
  EXPECT_EQ(numerics.precision, network::Precision::f32);
  EXPECT_EQ(numerics.device, "cpu");
}

TEST(TrainTest, LearnsBalls) {
  Balls balls;
  std::vector<double> seen;
  const TrainedModel trained =
      train(balls.task, balls.cases, never, [&](int epoch, double loss) {
        EXPECT_EQ(epoch, static_cast<int>(seen.size()));
        seen.push_back(loss);
      });
  const trials::TrialResult& result = trained.result;
  ASSERT_EQ(result.status, trials::TrialStatus::completed) << result.reason;
  EXPECT_GT(result.best_validation_dice, 0.8);
  EXPECT_EQ(result.loss, seen);
  EXPECT_LT(result.loss.back(), 0.5 * result.loss.front());
  EXPECT_THAT(result.validated, ::testing::ElementsAre(4, 9, 14, 19));
  EXPECT_EQ(result.best_validation_dice, *std::ranges::max_element(result.validation_dice));
  EXPECT_EQ(result.steps, 40);
  EXPECT_EQ(result.validation.cases(), 2);
  EXPECT_GE(result.seconds, result.training_seconds + result.validation_seconds);
  // The weights kept are those of the best epoch.
  const auto scores = trained.model->score(balls.cases, {4, 5}, balls.task.training);
  EXPECT_EQ(scores.dice, result.validation.dice);
}

TEST(TrainTest, GivesTheSameBitsAgainWhateverTheOrderOfCases) {
  Balls balls;
  balls.task.training.epochs = 3;
  for (const network::Norm norm : {network::Norm::instance, network::Norm::batch}) {
    balls.task.network.norm = norm;
    balls.task.key = core::RandomKey(3);
    balls.task.training_cases = {0, 1, 2, 3};
    const TrainedModel one = balls.train();
    balls.task.training_cases = {2, 0, 3, 1};
    const TrainedModel other = balls.train();
    ASSERT_EQ(one.result.status, trials::TrialStatus::completed) << one.result.reason;
    EXPECT_EQ(one.result.loss, other.result.loss);
    EXPECT_EQ(one.result.validation.dice, other.result.validation.dice);
    balls.task.key = core::RandomKey(4);
    EXPECT_NE(balls.train().result.loss, one.result.loss);
  }
}

TEST(TrainTest, WeightsSurviveTheFile) {
  Balls balls;
  balls.task.training.epochs = 2;
  balls.task.network.norm = network::Norm::batch;
  const TrainedModel trained = balls.train();
  ASSERT_NE(trained.model, nullptr) << trained.result.reason;
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("proxytune_trainer_test_" + std::to_string(::getpid()) + ".pt");
  trained.model->save(file);
  const Model loaded = Model::load(balls.task.network, file);
  const auto image = balls.cases.at(4).image;
  EXPECT_EQ(loaded.predict(image, balls.task.training).voxels,
            trained.model->predict(image, balls.task.training).voxels);
  balls.task.start_weights = file;
  const TrainedModel further = balls.train();
  EXPECT_EQ(further.result.status, trials::TrialStatus::completed) << further.result.reason;
  EXPECT_LT(further.result.loss.front(), trained.result.loss.front());
  std::filesystem::remove(file);
}

TEST(TrainTest, DivergenceIsAStatusWithAReason) {
  Balls balls;
  balls.task.hyper_parameters.learning_rate = 1e38;
  const TrainedModel wild = balls.train();
  EXPECT_EQ(wild.result.status, trials::TrialStatus::diverged);
  EXPECT_THAT(wild.result.reason, ::testing::HasSubstr("not finite"));
  EXPECT_EQ(wild.model, nullptr);

  Balls dirty;
  dirty.cases.images[1].voxels[0] = std::numeric_limits<float>::quiet_NaN();
  const TrainedModel nan = dirty.train();
  EXPECT_EQ(nan.result.status, trials::TrialStatus::diverged);
  EXPECT_TRUE(std::isnan(nan.result.best_validation_dice));
}

TEST(TrainTest, WhatCannotWorkFailsWithItsSentence) {
  Balls balls;
  balls.task.training.patch = {32, 16, 16};
  EXPECT_EQ(balls.train().result.status, trials::TrialStatus::failed);
  EXPECT_THAT(balls.train().result.reason,
              ::testing::HasSubstr("less than the training patch"));
  balls.task.training.patch = {6, 16, 16};
  EXPECT_EQ(balls.train().result.status, trials::TrialStatus::failed);
  Balls none;
  none.task.training_cases.clear();
  EXPECT_THAT(none.train().result.reason, ::testing::HasSubstr("no case to train with"));
}

TEST(TrainTest, KeepsTheLastWeightsWhereNothingCanBeScored) {
  Balls balls;
  balls.task.training.epochs = 1;
  balls.task.validation_cases.clear();
  const TrainedModel trained = balls.train();
  EXPECT_EQ(trained.result.status, trials::TrialStatus::completed) << trained.result.reason;
  EXPECT_EQ(trained.result.best_epoch, -1);
  EXPECT_TRUE(std::isnan(trained.result.best_validation_dice));
  EXPECT_NE(trained.model, nullptr);
}

TEST(TrainTest, StopsWhenAsked) {
  Balls balls;
  std::atomic<bool> stop = false;
  EXPECT_THROW(train(balls.task, balls.cases, stop, [&](int, double) { stop = true; }),
               core::Stopped);
}

TEST(TrainTest, LetsTheCallersErrorsThrough) {
  Balls balls;
  const auto full = [](int, double) { throw core::SystemError("the disk is full"); };
  EXPECT_THROW(train(balls.task, balls.cases, never, full), core::SystemError);
}

TEST(ModelTest, RefusesAnImageOfOtherChannels) {
  Balls balls;
  balls.task.training.epochs = 1;
  const TrainedModel trained = balls.train();
  const imaging::Volume two{2, {16, 16, 16}, {}, std::vector<float>(2 * 4096)};
  EXPECT_THROW(trained.model->predict({2, two.shape, two.voxels}, balls.task.training),
               core::DataError);
}

TEST(MeasureStepTest, GivesTimesAndMemory) {
  Balls balls;
  const StepCost cost = measure_step(balls.task.network, balls.task.training, 2);
  EXPECT_GT(cost.training_step_seconds, 0);
  EXPECT_GT(cost.inference_step_seconds, 0);
  EXPECT_GE(cost.memory_bytes, 0);
}

// The first training also sets up the library's own tables. Eight patches of 48^3, so that a
// trial takes far more than what the allocator rounds.
TEST(MeasureStepTest, ForeseesTheMemoryOfATraining) {
  Balls balls;
  static_cast<void>(balls.train());
  balls.task.network.channels = 8;
  balls.task.training = {.epochs = 3, .validate_every = 1, .patch = {48, 48, 48}};
  balls.task.training.window = balls.task.training.patch;
  balls.cases = {};
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    test::add_ball(balls.cases, 56, seed);
  const double foreseen = measure_step(balls.task.network, balls.task.training, 2).memory_bytes;
  const PeakMemory memory;
  const TrainedModel trained = balls.train();
  ASSERT_EQ(trained.result.status, trials::TrialStatus::completed) << trained.result.reason;
  if (memory.bytes() == 0)
    GTEST_SKIP() << "this system does not say how much memory is resident";
  EXPECT_NEAR(foreseen / memory.bytes(), 1, 0.25);
}

TEST(MeasureStepTest, TheSameNetworkNeedsAsMuchMemoryAgain) {
  Balls balls;
  TrainingOptions training = balls.task.training;
  training.patch = {32, 32, 32};
  // The first one also sets up the library's own tables, some 20 MB where it makes its code
  // anew.
  measure_step(balls.task.network, training, 1);
  const double second = measure_step(balls.task.network, training, 1).memory_bytes;
  const double third = measure_step(balls.task.network, training, 1).memory_bytes;
  EXPECT_NEAR(third / second, 1, 0.25);
  // Two activations at full resolution at least.
  EXPECT_GT(second,
            2.0 * 4 * 32 * 32 * 32 * balls.task.network.channels * training.cases_per_step *
                training.patches_per_case);
}

}  // namespace
}  // namespace proxytune::training
