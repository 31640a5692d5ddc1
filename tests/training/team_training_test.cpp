// One model trained by several ranks, as threads of this process.
#include <mutex>
#include <new>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/training/patches.h"
#include "src/training/batch_gradient.h"
#include "src/training/step.h"

#include "tests/training/balls.h"

namespace proxytune::training {
namespace {

using test::Balls;
using test::expect_same;
using test::never;

/// 2 steps of 4 patches an epoch, 10 steps in all, cut into granules of one; volumes to be
/// scored have 8 windows.
Balls team_training() {
  Balls balls;
  balls.task.training.epochs = 5;
  balls.task.training.validate_every = 2;
  balls.task.training.granule = 1;
  balls.task.training.windows_per_step = 3;
  for (std::uint64_t seed = 20; seed < 23; ++seed)
    test::add_ball(balls.cases, 24, seed);
  balls.task.validation_cases = {4, 5, 6, 7, 8};
  return balls;
}

/// By rank.
std::vector<TrainedModel> train_on(int ranks, const Balls& balls, Reduction reduction) {
  std::vector<TrainedModel> trained(static_cast<std::size_t>(ranks));
  comm::run_as_threads(ranks, [&](comm::Communicator& group) {
    Team team(group, reduction);
    trained[static_cast<std::size_t>(group.rank())] =
        train(balls.task, balls.cases, never, {}, nullptr, &team);
  });
  return trained;
}

struct Kind {
  trials::Optimizer optimizer;
  network::Norm norm;
};
class TeamTraining : public testing::TestWithParam<Kind> {};

TEST_P(TeamTraining, HasTheSameBitsOnAnyNumberOfRanks) {
  Balls balls = team_training();
  balls.task.hyper_parameters.optimizer = GetParam().optimizer;
  balls.task.network.norm = GetParam().norm;
  const TrainedModel alone = balls.train();
  EXPECT_EQ(alone.result.steps, 10);
  // More ranks than granules too.
  for (const int ranks : {2, 3, 4, 5})
    for (const TrainedModel& one : train_on(ranks, balls, Reduction::ordered))
      expect_same(one, alone);
  // The granules are what it depends on.
  balls.task.training.granule = 3;
  const TrainedModel others = balls.train();
  EXPECT_NE(others.result.loss, alone.result.loss);
  for (const TrainedModel& one : train_on(2, balls, Reduction::ordered))
    expect_same(one, others);
}

TEST_P(TeamTraining, HasTheSameBitsWhereAStepHasFewerGranulesThanRanks) {
  Balls balls = team_training();
  balls.task.hyper_parameters.optimizer = GetParam().optimizer;
  balls.task.network.norm = GetParam().norm;
  // Steps of 2 patches and of 1.
  balls.task.training_cases = {0, 1, 2};
  balls.task.training.patches_per_case = 1;
  balls.task.training.epochs = 2;
  const TrainedModel alone = balls.train();
  for (const int ranks : {2, 3})
    for (const TrainedModel& one : train_on(ranks, balls, Reduction::ordered))
      expect_same(one, alone);
  const std::vector<TrainedModel> fastest = train_on(3, balls, Reduction::fastest);
  for (const TrainedModel& one : fastest)
    expect_same(one, fastest.front());
}

INSTANTIATE_TEST_SUITE_P(
    All,
    TeamTraining,
    testing::Values(Kind{trials::Optimizer::adam, network::Norm::instance},
                    Kind{trials::Optimizer::adamax, network::Norm::instance},
                    Kind{trials::Optimizer::rmsprop, network::Norm::instance},
                    Kind{trials::Optimizer::novograd, network::Norm::instance},
                    Kind{trials::Optimizer::adam, network::Norm::batch},
                    Kind{trials::Optimizer::adamax, network::Norm::batch},
                    Kind{trials::Optimizer::rmsprop, network::Norm::batch},
                    Kind{trials::Optimizer::novograd, network::Norm::batch}),
    [](const testing::TestParamInfo<Kind>& kind) {
      return std::string(core::to_string(kind.param.optimizer)) + "_" +
             std::string(core::to_string(kind.param.norm));
    });

TEST(TeamTrainingTest, GranulesOfABatchHaveTheWholesMomentsAndGradients) {
  // In float64: parts, with moments brought together, against the batch as one.
  for (const network::Norm norm : {network::Norm::instance, network::Norm::batch}) {
    Balls balls = team_training();
    balls.task.network.norm = norm;
    const TrainingOptions& options = balls.task.training;
    const PatchSampler sampler(
        balls.cases, balls.task.training_cases, options, {}, 2, core::RandomKey(5));
    constexpr int patches = 4;
    constexpr std::size_t voxels = 4096;
    std::vector<float> images(patches * voxels);
    std::vector<std::uint8_t> labels(patches * voxels);
    for (std::size_t i = 0; i < patches; ++i)
      sampler.cut(0,
                  static_cast<int>(i),
                  0,
                  std::span(images).subspan(i * voxels, voxels),
                  std::span(labels).subspan(i * voxels, voxels));
    const auto network_in_double = [&] {
      network::UNet network(balls.task.network, torch::kCPU, torch::kFloat64);
      initialise(network, core::RandomKey(7));
      return network;
    };
    const auto step = [](const network::UNet& network) {
      network.parameters().values.sub_(network.parameters().gradients, 0.05);
    };
    network::UNet whole = network_in_double();
    std::vector<double> losses;
    for (int i = 0; i < 10; ++i) {
      const torch::Tensor loss =
          batch_loss(whole,
                     Loss::dice,
                     channels_last(images, patches, 1, {16, 16, 16}).to(torch::kFloat64),
                     labels);
      losses.push_back(loss.item<double>());
      whole.backward(loss);
      const torch::NoGradGuard no_gradients;
      step(whole);
    }
    EXPECT_LT(losses.back(), losses.front());
    for (const int ranks : {2, 3, 4, 5})
      comm::run_as_threads(ranks, [&](comm::Communicator& group) {
        Team team(group, Reduction::fastest);
        network::UNet network = network_in_double();
        BatchGradient gradient(network, team, options);
        for (int i = 0; i < 10; ++i) {
          const double loss = gradient(patches, [&](int begin, int end) {
            const auto first = static_cast<std::size_t>(begin) * voxels;
            const auto count = static_cast<std::size_t>(end - begin) * voxels;
            return Patches{std::span<const float>(images).subspan(first, count),
                           std::span<const std::uint8_t>(labels).subspan(first, count)};
          });
          EXPECT_NEAR(loss, losses[static_cast<std::size_t>(i)], 1e-9);
          const torch::NoGradGuard no_gradients;
          step(network);
        }
        const auto state = network.state();
        const auto expected = whole.state();
        for (std::size_t i = 0; i < state.size(); ++i)
          EXPECT_LT(
              (state[i].tensor.to(torch::kFloat64) - expected[i].tensor.to(torch::kFloat64))
                  .abs()
                  .max()
                  .item<double>(),
              1e-9)
              << state[i].name << " on " << ranks << " ranks";
      });
  }
}

TEST(TeamTrainingTest, TheFastestReductionIsTheSameOnAllRanksAndCloseToTheOrdered) {
  const Balls balls = team_training();
  const TrainedModel ordered = balls.train();
  const std::vector<TrainedModel> fastest = train_on(3, balls, Reduction::fastest);
  for (const TrainedModel& one : fastest) {
    expect_same(one, fastest.front());
    for (std::size_t epoch = 0; epoch < 5; ++epoch)
      EXPECT_NEAR(one.result.loss[epoch], ordered.result.loss[epoch], 1e-3);
  }
}

/// Leader's states in memory; the others' are told of steps alone.
struct Kept : Checkpoints {
  std::optional<std::string> load() override { return state; }
  bool due() override { return ++pauses == due_at; }
  void save(const std::string& of) override { state = of; }
  void refuse(const std::string&) override { ADD_FAILURE() << "refused"; }
  std::optional<std::string> state;
  int pauses = 0;
  int due_at = -1;
};

TEST(TeamTrainingTest, GoesOnFromACheckpointOnAnotherNumberOfRanks) {
  for (const network::Norm norm : {network::Norm::instance, network::Norm::batch}) {
    Balls balls = team_training();
    balls.task.network.norm = norm;
    const TrainedModel whole = balls.train();
    // In mid-epoch, and between two rounds of a validation.
    for (const int pause : {4, 6})
      for (const auto& [before, after] : {std::pair(2, 3), std::pair(3, 1), std::pair(1, 2)}) {
        Kept kept;
        std::atomic<bool> stop = false;
        comm::run_as_threads(before, [&](comm::Communicator& group) {
          Team team(group, Reduction::ordered);
          // Members' due() counts steps, and only the leader's is heeded.
          struct : Kept {
            std::atomic<bool>* stop = nullptr;
            int at = 0;
            bool due() override {
              if (++pauses == at)
                *stop = true;
              return false;
            }
          } mine;
          mine.stop = &stop;
          mine.at = group.is_root() ? pause : -1;
          EXPECT_THROW(train(balls.task, balls.cases, stop, {}, &mine, &team), core::Stopped);
          EXPECT_EQ(mine.state.has_value(), group.is_root());
          if (group.is_root())
            kept.state = mine.state;
        });
        comm::run_as_threads(after, [&](comm::Communicator& group) {
          Team team(group, Reduction::ordered);
          Kept mine;
          if (group.is_root())
            mine.state = kept.state;
          const TrainedModel rest = train(balls.task, balls.cases, never, {}, &mine, &team);
          expect_same(rest, whole);
        });
      }
  }
}

/// A source of which one rank cannot have a case.
class Failing : public datasets::CaseSource {
 public:
  Failing(const datasets::CaseSource& inner, int bad, std::function<void()> fail)
      : inner_(inner), bad_(bad), fail_(std::move(fail)) {}
  int size() const override { return inner_.size(); }
  datasets::PreparedCase at(int index) const override {
    if (index == bad_)
      fail_();
    return inner_.at(index);
  }

 private:
  const datasets::CaseSource& inner_;
  int bad_;
  std::function<void()> fail_;
};

TEST(TeamTrainingTest, WhatFailsOnOneRankEndsTheTrialOnAllAndTheNextOneRuns) {
  Balls balls = team_training();
  balls.task.training.epochs = 2;
  // Case 0 is read before the first step; one of 5 to 8 in a validation.
  for (const int bad : {0, 5, 8})
    for (const int failing : {0, 2})
      comm::run_as_threads(3, [&](comm::Communicator& group) {
        const Failing cases(balls.cases, bad, [&] {
          if (group.rank() == failing)
            throw std::bad_alloc();
        });
        Team team(group, Reduction::ordered);
        const TrainedModel trained = train(balls.task, cases, never, {}, nullptr, &team);
        // In a round a case is one rank's; where the windows are shared it is everybody's.
        if (trained.result.status == trials::TrialStatus::completed) {
          EXPECT_NE(bad, 0);
        } else {
          EXPECT_EQ(trained.result.status, trials::TrialStatus::out_of_memory)
              << trained.result.reason;
          EXPECT_EQ(trained.model, nullptr);
        }
        Team next(group, Reduction::ordered);
        EXPECT_EQ(train(balls.task, balls.cases, never, {}, nullptr, &next).result.status,
                  trials::TrialStatus::completed);
      });
}

TEST(TeamTrainingTest, DivergesAlikeWhoeverHasTheLossThatIsNotFinite) {
  for (const network::Norm norm : {network::Norm::instance, network::Norm::batch}) {
    Balls balls = team_training();
    balls.task.network.norm = norm;
    balls.cases.images[1].voxels[0] = std::numeric_limits<float>::quiet_NaN();
    const TrainedModel alone = balls.train();
    EXPECT_EQ(alone.result.status, trials::TrialStatus::diverged);
    for (const TrainedModel& one : train_on(3, balls, Reduction::ordered)) {
      EXPECT_EQ(one.result.status, trials::TrialStatus::diverged);
      EXPECT_EQ(one.result.reason, alone.result.reason);
    }
  }
}

TEST(TeamTrainingTest, StopsOnAllRanksWhereOneIsAskedTo) {
  const Balls balls = team_training();
  comm::run_as_threads(3, [&](comm::Communicator& group) {
    const std::atomic<bool> stop = group.rank() == 2;
    Team team(group, Reduction::ordered);
    EXPECT_THROW(train(balls.task, balls.cases, stop, {}, nullptr, &team), core::Stopped);
  });
}

TEST(TeamTrainingTest, AnErrorThatIsNotTheTrialsReachesAllRanks) {
  const Balls balls = team_training();
  comm::run_as_threads(3, [&](comm::Communicator& group) {
    Team team(group, Reduction::ordered);
    const auto full = [&](int, double) {
      if (group.is_root())
        throw core::SystemError("the disk is full");
    };
    EXPECT_THROW(train(balls.task, balls.cases, never, full, nullptr, &team),
                 core::SystemError);
  });
}

/// A rank's granules, side by side, of which one fails.
TEST(LockStepTest, AFailureOfOneGranuleEndsThemAll) {
  for (const int failing : {0, 3, 5})
    comm::run_as_threads(3, [&](comm::Communicator& group) {
      const Granules granules = Granules::of_patches(6, 1, 3);
      Team team(group, Reduction::ordered);
      LockStep steps(team, granules);
      EXPECT_THROW(team.together([&] {
        steps.run([&](int granule, LockStep::Seat& seat) {
          EXPECT_EQ(seat.sum({1.0 * granule}).front(), 15);
          if (granule == failing)
            throw std::bad_alloc();
          seat.sum({1.0});
        });
      }),
                   std::exception);
    });
}

TEST(LockStepTest, RanksWithoutAGranuleMeetTheOthers) {
  comm::run_as_threads(4, [&](comm::Communicator& group) {
    const Granules granules = Granules::of_patches(2, 1, 4);
    Team team(group, Reduction::ordered);
    LockStep steps(team, granules);
    int passes = 0;
    steps.run([&](int granule, LockStep::Seat& seat) {
      ++passes;
      EXPECT_EQ(seat.sum({granule + 1.0, 10.0}), (std::vector<double>{3, 20}));
    });
    EXPECT_EQ(passes, 1);
    EXPECT_EQ(steps.counts(),
              granules.first_of(group.rank()) < granules.first_of(group.rank() + 1));
  });
}

}  // namespace
}  // namespace proxytune::training
