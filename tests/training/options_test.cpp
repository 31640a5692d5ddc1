#include "proxytune/training/options.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::training {
namespace {

TEST(GranuleTest, HasHalfAMillionVoxelsOrWhatIsAskedFor) {
  const auto granule = [](std::array<int, 3> patch, int asked = 0) {
    TrainingOptions options;
    options.patch = patch;
    options.granule = asked;
    return patches_of_granule(options);
  };
  EXPECT_EQ(granule({96, 96, 96}), 1);
  EXPECT_EQ(granule({128, 128, 32}), 1);
  EXPECT_EQ(granule({64, 64, 64}), 2);
  EXPECT_EQ(granule({48, 48, 48}), 5);
  EXPECT_EQ(granule({32, 32, 32}), 16);
  EXPECT_EQ(granule({96, 96, 96}, 3), 3);
  EXPECT_EQ(granule({1000, 1000, 1000}), 1);
}

TEST(LargeBatchTest, ScalesTheLearningRateOnlyIfAskedTo) {
  TrainingOptions options;
  options.cases_per_step = 8;
  options.patches_per_case = 4;
  EXPECT_EQ(patches_of_step(options), 32);
  EXPECT_EQ(learning_rate_factor(options), 1);
  options.learning_rate_scaling = LearningRateScaling::linear;
  EXPECT_EQ(learning_rate_factor(options), 4);
  options.learning_rate_scaling = LearningRateScaling::square_root;
  EXPECT_EQ(learning_rate_factor(options), 2);
  options.scaling_patches = 32;
  EXPECT_EQ(learning_rate_factor(options), 1);
}

TEST(OptionsTest, OddNumbersAreRefusedByName) {
  const auto refused = [](const auto& change) {
    TrainingOptions options;
    change(options);
    try {
      validate(options);
    } catch (const core::FieldError& error) {
      return error.field();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refused([](TrainingOptions& o) { o.granule = -1; }), "granule");
  EXPECT_EQ(refused([](TrainingOptions& o) { o.warmup_steps = -1; }), "warmup_steps");
  EXPECT_EQ(refused([](TrainingOptions& o) { o.scaling_patches = 0; }), "scaling_patches");
  EXPECT_EQ(refused([](TrainingOptions&) {}), "nothing");
}

}  // namespace
}  // namespace proxytune::training
