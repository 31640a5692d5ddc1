#include "proxytune/training/checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/training/balls.h"

namespace proxytune::training {
namespace {

using test::Balls;
using test::expect_same;
using test::never;

/// Keeps states in memory; `at_pause` hears of each pause of the training, by number.
struct InMemory : Checkpoints {
  std::optional<std::string> load() override { return kept; }
  bool due() override {
    const int number = pauses++;
    return at_pause && at_pause(number);
  }
  void save(const std::string& state) override {
    kept = state;
    ++saved;
  }
  void refuse(const std::string& why) override { refusal = why; }

  std::function<bool(int)> at_pause;
  std::optional<std::string> kept;
  std::string refusal;
  int pauses = 0;
  int saved = 0;
};

/// 2 steps an epoch, validations of 2 cases after epochs 1 and 2: 10 pauses.
constexpr int all_pauses = 10;
Balls short_training() {
  Balls balls;
  balls.task.training.epochs = 3;
  balls.task.training.validate_every = 2;
  return balls;
}

struct Kind {
  trials::Optimizer optimizer;
  network::Norm norm;
};
class CheckpointsTest : public testing::TestWithParam<Kind> {
 protected:
  Balls balls() const {
    Balls balls = short_training();
    balls.task.hyper_parameters.optimizer = GetParam().optimizer;
    balls.task.network.norm = GetParam().norm;
    return balls;
  }
};
INSTANTIATE_TEST_SUITE_P(OptimizersAndNorms,
                         CheckpointsTest,
                         testing::Values(Kind{trials::Optimizer::adam, network::Norm::instance},
                                         Kind{trials::Optimizer::rmsprop, network::Norm::batch},
                                         Kind{trials::Optimizer::adamax, network::Norm::batch},
                                         Kind{trials::Optimizer::novograd,
                                              network::Norm::instance}));

TEST_P(CheckpointsTest, StoppedAtAnyStepItGoesOnToTheSameBits) {
  const Balls balls = this->balls();
  const TrainedModel whole = balls.train();
  for (int when = 0; when < all_pauses; ++when) {
    std::atomic<bool> stop = false;
    InMemory checkpoints;
    // The flag is seen at the next pause, or between two windows of a validation.
    checkpoints.at_pause = [&](int number) {
      stop = number == when;
      return false;
    };
    EXPECT_THROW(train(balls.task, balls.cases, stop, {}, &checkpoints), core::Stopped);
    EXPECT_EQ(checkpoints.saved, 1) << when;
    checkpoints.at_pause = {};
    expect_same(whole, train(balls.task, balls.cases, never, {}, &checkpoints));
    EXPECT_EQ(checkpoints.refusal, "");
  }
}

TEST_P(CheckpointsTest, KilledAtAnyStepItGoesOnFromTheLastOneToTheSameBits) {
  const Balls balls = this->balls();
  const TrainedModel whole = balls.train();
  InMemory checkpoints;
  for (int attempts = 1; true; ++attempts) {
    checkpoints.pauses = 0;
    // A checkpoint at the second pause, death at the fourth.
    checkpoints.at_pause = [&](int number) {
      if (number == 3)
        throw core::SystemError("killed");
      return number == 1;
    };
    try {
      expect_same(whole, train(balls.task, balls.cases, never, {}, &checkpoints));
      EXPECT_GE(attempts, all_pauses / 3);
      break;
    } catch (const core::SystemError&) {
      ASSERT_LE(attempts, all_pauses);
    }
  }
}

TEST_P(CheckpointsTest, StoppedEarlyAsAskedItIsTheBeginningOfTheWholeAndGoesOnToTheSameBits) {
  Balls balls = this->balls();
  const TrainedModel whole = balls.train();
  InMemory checkpoints;
  balls.task.early_stop.after = 2;
  for (int again = 0; again < 2; ++again) {
    const TrainedModel early = train(balls.task, balls.cases, never, {}, &checkpoints);
    EXPECT_EQ(early.result.status, trials::TrialStatus::stopped_early);
    EXPECT_EQ(early.result.reason, "stopped after 2 of 3 epochs");
    EXPECT_EQ(early.model, nullptr);
    EXPECT_EQ(early.result.loss,
              std::vector(whole.result.loss.begin(), whole.result.loss.begin() + 2));
    EXPECT_EQ(early.result.validation_dice, std::vector{whole.result.validation_dice[0]});
    EXPECT_EQ(early.result.best_validation_dice, whole.result.validation_dice[0]);
    // Taken up again where it stopped, it does nothing more.
    EXPECT_EQ(checkpoints.pauses, 6);
  }
  balls.task.early_stop = {};
  expect_same(whole, train(balls.task, balls.cases, never, {}, &checkpoints));
  EXPECT_EQ(checkpoints.pauses, all_pauses);
  EXPECT_EQ(checkpoints.refusal, "");
}

TEST(CheckpointsOfATrainingTest, FromBeyondTheEpochWhereItIsToStopAreRefused) {
  Balls balls = short_training();
  std::atomic<bool> stop = false;
  InMemory checkpoints;
  checkpoints.at_pause = [&](int number) {
    stop = number == 7;  // in the third epoch
    return false;
  };
  EXPECT_THROW(train(balls.task, balls.cases, stop, {}, &checkpoints), core::Stopped);
  checkpoints.at_pause = {};
  balls.task.early_stop = {.epochs = {2}, .below = {1.5}};
  const TrainedModel early = train(balls.task, balls.cases, never, {}, &checkpoints);
  EXPECT_EQ(checkpoints.refusal,
            "it is beyond the 2 epochs after which the training is to stop");
}

TEST(CheckpointsOfATrainingTest, AreNotNeededToStopWhereTheDiceIsTooLow) {
  Balls balls = short_training();
  balls.task.early_stop = {.epochs = {2, 3}, .below = {1.5, 1.5}};
  const TrainedModel early = balls.train();
  EXPECT_EQ(early.result.status, trials::TrialStatus::stopped_early);
  EXPECT_EQ(early.result.loss.size(), 2U);
  EXPECT_EQ(
      early.result.reason,
      "stopped after 2 of 3 epochs: its validation Dice was below 1.500000, the median of "
      "earlier trials");
  balls.task.early_stop.below = {-0.5, 1.5};
  // After the last epoch there is nothing to save.
  EXPECT_EQ(balls.train().result.status, trials::TrialStatus::completed);
}

TEST(CheckpointsOfATrainingTest, TellEpochsAndSecondsOnOnce) {
  const Balls balls = short_training();
  std::vector<int> epochs;
  const auto on_epoch = [&](int epoch, double) { epochs.push_back(epoch); };
  std::atomic<bool> stop = false;
  InMemory checkpoints;
  checkpoints.at_pause = [&](int number) {
    stop = number == 5;
    return false;
  };
  EXPECT_THROW(train(balls.task, balls.cases, stop, on_epoch, &checkpoints), core::Stopped);
  checkpoints.at_pause = {};
  const TrainedModel trained = train(balls.task, balls.cases, never, on_epoch, &checkpoints);
  EXPECT_THAT(epochs, testing::ElementsAre(0, 1, 2));
  EXPECT_GE(trained.result.seconds,
            trained.result.training_seconds + trained.result.validation_seconds);
}

TEST(CheckpointsOfATrainingTest, WhatIsNoStateOfItIsRefusedAndItBeginsAnew) {
  const Balls balls = short_training();
  const TrainedModel whole = balls.train();
  Balls wider = short_training();
  wider.task.network.channels = 8;
  Balls other_moments = short_training();
  other_moments.task.hyper_parameters.optimizer = trials::Optimizer::rmsprop;
  std::vector<std::string> foreign{"", "no state"};
  for (const Balls* other : {&wider, &other_moments}) {
    std::atomic<bool> stop = false;
    InMemory checkpoints;
    checkpoints.at_pause = [&](int number) {
      stop = number == 3;
      return false;
    };
    EXPECT_THROW(train(other->task, other->cases, stop, {}, &checkpoints), core::Stopped);
    foreign.push_back(*checkpoints.kept);
    foreign.push_back(checkpoints.kept->substr(0, checkpoints.kept->size() - 1));
  }
  for (const std::string& state : foreign) {
    InMemory checkpoints;
    checkpoints.kept = state;
    expect_same(whole, train(balls.task, balls.cases, never, {}, &checkpoints));
    EXPECT_NE(checkpoints.refusal, "");
  }
}

TEST(CheckpointsOfATrainingTest, AFinishedOneGivesItsModelAtOnce) {
  const Balls balls = short_training();
  const TrainedModel whole = balls.train();
  InMemory checkpoints;
  checkpoints.kept = finished_state(balls.task, whole);
  expect_same(whole, train(balls.task, balls.cases, never, {}, &checkpoints));
  EXPECT_EQ(checkpoints.pauses, 0);
}

TEST(ModelTest, StopsWithinACaseThatIsScored) {
  Balls balls = short_training();
  const TrainedModel trained = balls.train();
  const std::atomic<bool> stop = true;
  EXPECT_THROW(trained.model->score(balls.cases, {4}, balls.task.training, stop),
               core::Stopped);
}

}  // namespace
}  // namespace proxytune::training
