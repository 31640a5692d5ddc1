#include "src/search/gaussian_process.h"

#include <cmath>

#include <gtest/gtest.h>

#include "proxytune/core/random.h"

namespace proxytune::search {
namespace {

double matern(double distance) {
  const double r = std::sqrt(5.0) * distance;
  return (1 + r + r * r / 3) * std::exp(-r);
}

// Two places a distance apart that gives the correlation c, values 1 and -1: the inverse of
// [[1+g, c], [c, 1+g]] in closed form.
TEST(GaussianProcessTest, IsTheClosedFormOfTwoValues) {
  const double g = 0.1;
  GaussianProcess process({0}, {{0.5}, g});
  process.condition_on({{0.2}, {0.7}}, {1, -1});
  const double c = matern(1);
  const double determinant = (1 + g) * (1 + g) - c * c;
  const double near = matern(0.4), far = matern(0.6);  // of the place 0.4
  const auto there = process.at({0.4});
  EXPECT_NEAR(there.mean, (near - far) * (1 + g + c) / determinant, 1e-12);
  // Mean 0 by symmetry; variance (y' K^-1 y + 1) / (2 + 1).
  const double variance = (2 * (1 + g + c) / determinant + 1) / 3;
  const double explained =
      ((near * near + far * far) * (1 + g) - 2 * near * far * c) / determinant;
  EXPECT_NEAR(there.deviation, std::sqrt(variance * (1 - explained)), 1e-12);
  EXPECT_NEAR(
      process.log_likelihood(), -1.5 * std::log(variance) - 0.5 * std::log(determinant), 1e-12);
}

TEST(GaussianProcessTest, KnowsNothingFarAwayAndMuchWhereItHasSeen) {
  GaussianProcess process({0, 0}, {{0.05, 0.05}, 1e-4});
  process.condition_on({{0.1, 0.1}, {0.1, 0.2}, {0.2, 0.1}}, {0.5, 1.5, 1.0});
  EXPECT_NEAR(process.at({0.1, 0.2}).mean, 1.5, 1e-3);
  EXPECT_LT(process.at({0.1, 0.2}).deviation, 0.02);
  EXPECT_NEAR(process.at({0.95, 0.95}).mean, 1.0, 0.1);
  EXPECT_GT(process.at({0.95, 0.95}).deviation, 0.3);
}

TEST(GaussianProcessTest, WhatIsBelievedMovesNoMeanButLeavesNothingToLearnThere) {
  GaussianProcess process({0}, {{0.3}, 0.01});
  process.condition_on({{0.1}, {0.4}, {0.9}}, {0.2, 1, -0.5});
  const auto before = process.at({0.6});
  const auto elsewhere = process.at({0.2});
  process.believe({0.6});
  EXPECT_NEAR(process.at({0.6}).mean, before.mean, 1e-9);
  EXPECT_NEAR(process.at({0.2}).mean, elsewhere.mean, 1e-9);
  EXPECT_LT(process.at({0.6}).deviation, 0.1 * before.deviation);
}

TEST(GaussianProcessTest, SurvivesEqualPlacesAndEqualValues) {
  GaussianProcess process({0, 3}, {{0.5, 1}, 1e-4});
  process.condition_on({{0.5, 1}, {0.5, 1}, {0.5, 1}}, {0, 0, 0});
  const auto there = process.at({0.5, 2});
  EXPECT_NEAR(there.mean, 0, 1e-12);
  EXPECT_TRUE(std::isfinite(there.deviation));
}

TEST(GaussianProcessTest, FindsWhichDimensionMattersAndHowNoisyValuesAre) {
  core::Random random(core::RandomKey(4));
  const auto fitted = [&](double noise) {
    std::vector<Place> places;
    std::vector<double> values;
    for (int i = 0; i < 40; ++i) {
      places.push_back({random.uniform(), random.uniform()});
      values.push_back(std::sin(6 * places.back()[0]) + noise * random.normal());
    }
    return likeliest_similarity({0, 0}, places, values);
  };
  const Similarity quiet = fitted(0.01);
  EXPECT_GT(quiet.lengths[1], 3 * quiet.lengths[0]);
  EXPECT_GT(fitted(0.5).noise, 20 * quiet.noise);
}

}  // namespace
}  // namespace proxytune::search
