#include "proxytune/training/optimizer.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/reference/optimizer_reference.h"

namespace proxytune::training {
namespace {

constexpr std::size_t count = 49;
const std::vector<ParameterRange> tensors{{0, 5}, {5, 1}, {6, 7}, {13, 36}};

// The same starts and gradients as in optimizer_reference.py.
float start(int i) {
  return static_cast<float>((i * 7) % 11 - 5) / 8;
}
float gradient(int step, int i) {
  if (i == 5 && (step == 0 || step == 9))
    return 0;
  return static_cast<float>(((i * 5 + step * 3) % 13 - 6) / 16.0 * std::pow(10.0, i % 3 - 1));
}

void expect_steps(trials::Optimizer kind,
                  const float (&expected)[10][count],
                  double weight_decay = 0) {
  Optimizer optimizer(kind, 0.01, tensors, weight_decay);
  std::vector<float> values;
  for (int i = 0; i < static_cast<int>(count); ++i)
    values.push_back(start(i));
  for (int step = 0; step < 10; ++step) {
    std::vector<float> gradients;
    for (int i = 0; i < static_cast<int>(count); ++i)
      gradients.push_back(gradient(step, i));
    optimizer.step(values, gradients);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_NEAR(values[i], expected[step][i], 2e-7) << "step " << step << " parameter " << i;
  }
}

TEST(OptimizerTest, AdamTakesTorchsSteps) {
  expect_steps(trials::Optimizer::adam, reference::adam);
}
TEST(OptimizerTest, RmspropTakesTorchsSteps) {
  expect_steps(trials::Optimizer::rmsprop, reference::rmsprop);
}
TEST(OptimizerTest, AdamaxTakesTorchsSteps) {
  expect_steps(trials::Optimizer::adamax, reference::adamax);
}
TEST(OptimizerTest, NovogradTakesMonaisSteps) {
  expect_steps(trials::Optimizer::novograd, reference::novograd);
}

constexpr double decay = 0.3;

TEST(WeightDecayTest, IsTorchsInAdam) {
  expect_steps(trials::Optimizer::adam, reference::adam_with_decay, decay);
}
TEST(WeightDecayTest, IsTorchsInRmsprop) {
  expect_steps(trials::Optimizer::rmsprop, reference::rmsprop_with_decay, decay);
}
TEST(WeightDecayTest, IsTorchsInAdamax) {
  expect_steps(trials::Optimizer::adamax, reference::adamax_with_decay, decay);
}
TEST(WeightDecayTest, IsMonaisInNovograd) {
  expect_steps(trials::Optimizer::novograd, reference::novograd_with_decay, decay);
}

TEST(WeightDecayTest, ShrinksParametersUnderZeroGradients) {
  for (const auto& kind : trials::names_of_optimizer) {
    Optimizer optimizer(kind.value, 0.01, {{0, 33}}, 0.1);
    std::vector<float> values(33, 1.5F);
    optimizer.step(values, std::vector<float>(33, 0.0F));
    for (const float value : values)
      EXPECT_LT(value, 1.5F) << kind.text;
  }
}

TEST(OptimizerTest, EveryKindLeavesParametersAloneUnderZeroGradients) {
  for (const auto& kind : trials::names_of_optimizer) {
    Optimizer optimizer(kind.value, 0.5, {{0, 33}});
    std::vector<float> values(33, 1.5F);
    const std::vector<float> gradients(33, 0.0F);
    for (int step = 0; step < 3; ++step)
      optimizer.step(values, gradients);
    for (const float value : values)
      EXPECT_EQ(value, 1.5F) << kind.text;
  }
}

TEST(OptimizerTest, EveryKindGoesDownAQuadratic) {
  for (const auto& kind : trials::names_of_optimizer) {
    Optimizer optimizer(kind.value, 0.01, {{0, 40}});
    std::vector<float> values(40);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i % 7) - 3;
    std::vector<float> gradients(40);
    const auto height = [&] {
      double sum = 0;
      for (const float value : values)
        sum += static_cast<double>(value) * value;
      return sum;
    };
    const double before = height();
    for (int step = 0; step < 100; ++step) {
      for (std::size_t i = 0; i < values.size(); ++i)
        gradients[i] = 2 * values[i];
      optimizer.step(values, gradients);
    }
    EXPECT_LT(height(), 0.8 * before) << kind.text;
  }
}

TEST(OptimizerTest, NotANumberReachesTheParameters) {
  for (const auto& kind : trials::names_of_optimizer) {
    Optimizer optimizer(kind.value, 0.1, {{0, 1}});
    std::vector<float> values{1.0F};
    const std::vector<float> gradients{std::numeric_limits<float>::quiet_NaN()};
    optimizer.step(values, gradients);
    EXPECT_TRUE(std::isnan(values[0])) << kind.text;
  }
}

// RMSprop's first step is the rate times a number that knows no rate, and so are all steps
// under one gradient as far as its second moments go.
TEST(ScheduleTest, RaisesTheRateStepByStepAndScalesIt) {
  const auto moved = [](const Optimizer::Schedule& schedule) {
    Optimizer optimizer(trials::Optimizer::rmsprop, 0.01, tensors, 0, schedule);
    std::vector<float> values(count, 0.0F);
    std::vector<float> moves;
    for (int step = 0; step < 6; ++step) {
      const float before = values[3];
      optimizer.step(values, std::vector<float>(count, 0.5F));
      moves.push_back(before - values[3]);
    }
    return moves;
  };
  const std::vector<float> plain = moved({});
  const std::vector<float> warmed = moved({1, 4});
  const std::vector<float> scaled = moved({3, 0});
  const float parts[] = {0.25F, 0.5F, 0.75F, 1, 1, 1};
  for (std::size_t step = 0; step < 6; ++step) {
    EXPECT_NEAR(warmed[step] / plain[step], parts[step], 1e-4) << step;
    EXPECT_NEAR(scaled[step] / plain[step], 3, 1e-4) << step;
  }
}

TEST(ScheduleTest, GoesOnWhereItsStateWas) {
  const Optimizer::Schedule schedule{2, 5};
  Optimizer whole(trials::Optimizer::adam, 0.01, tensors, 0, schedule);
  std::vector<float> values(count, 1.0F);
  std::vector<float> other = values;
  const std::vector<float> slope(count, 0.5F);
  Optimizer first(trials::Optimizer::adam, 0.01, tensors, 0, schedule);
  for (int step = 0; step < 3; ++step) {
    whole.step(values, slope);
    first.step(other, slope);
  }
  Optimizer second(trials::Optimizer::adam, 0.01, tensors, 0, schedule);
  second.restore(first.state());
  whole.step(values, slope);
  second.step(other, slope);
  EXPECT_EQ(values, other);
}

TEST(OptimizerTest, RefusesBuffersThatDoNotFit) {
  Optimizer optimizer(trials::Optimizer::adam, 0.1, {{0, 4}});
  std::vector<float> four(4);
  std::vector<float> three(3);
  EXPECT_THROW(optimizer.step(four, three), std::invalid_argument);
  EXPECT_THROW(optimizer.step(three, three), std::invalid_argument);
}

}  // namespace
}  // namespace proxytune::training
