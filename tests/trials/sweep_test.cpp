#include "proxytune/trials/sweep.h"

#include <cmath>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::trials {
namespace {

std::string refused(const SweepOptions& options) {
  try {
    validate(options);
  } catch (const core::FieldError& error) {
    return error.field();
  }
  return "nothing";
}

TEST(SweepTest, IsThePapersGridOfSixteen) {
  const SweepOptions options;
  validate(options);
  const auto grid = sweep_grid(options);
  ASSERT_EQ(grid.size(), 16U);
  EXPECT_EQ(grid.front(), (HyperParameters{Optimizer::adam, 1e-3, 0.5, 0.1}));
  EXPECT_EQ(grid[5], (HyperParameters{Optimizer::rmsprop, 6e-4, 0.5, 0.1}));
  EXPECT_EQ(grid.back(), (HyperParameters{Optimizer::novograd, 1e-4, 0.5, 0.1}));
}

TEST(SweepTest, RefusesWhatCannotWorkByName) {
  EXPECT_EQ(refused({.optimizers = {}}), "optimizers");
  EXPECT_EQ(refused({.optimizers = {Optimizer::adam, Optimizer::adam}}), "optimizers.1");
  EXPECT_EQ(refused({.learning_rates = {}}), "learning_rates");
  EXPECT_EQ(refused({.learning_rates = {1e-3, 0}}), "learning_rates.1");
  EXPECT_EQ(refused({.learning_rates = {1e-3, 1e-4, 1e-3}}), "learning_rates.2");
  EXPECT_EQ(refused({.repeats = 0}), "repeats");
  EXPECT_EQ(refused({.shift_probability = 2}), "shift_probability");
  EXPECT_EQ(refused({.shift_offset = NAN}), "shift_offset");
}

}  // namespace
}  // namespace proxytune::trials
