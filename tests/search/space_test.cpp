#include "proxytune/search/space.h"

#include <cmath>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/search/search_options.h"

namespace proxytune::search {
namespace {

using trials::HyperParameters;
using trials::Optimizer;

const SearchSpace whole{
    {{.field = "learning_rate", .low = 1e-4, .high = 1e-3, .scale = Scale::log},
     {.field = "shift_probability", .low = 0, .high = 0.8},
     {.field = "shift_offset", .low = 0.05, .high = 0.1},
     {.field = "optimizer", .choices = {"novograd", "adam", "adamax"}}}};

std::string refused(const SearchOptions& options) {
  try {
    validate(options);
  } catch (const core::FieldError& error) {
    return error.field();
  }
  return "nothing";
}

std::string refused(const Dimension& dimension) {
  SearchOptions options;
  options.space = {dimension};
  return refused(options);
}

TEST(SearchSpaceTest, HasItsEndsExactly) {
  const HyperParameters base;
  EXPECT_EQ(at(whole, base, {0, 0, 0, 0}),
            (HyperParameters{Optimizer::novograd, 1e-4, 0, 0.05}));
  EXPECT_EQ(at(whole, base, {1, 1, 1, 1}),
            (HyperParameters{Optimizer::adamax, 1e-3, 0.8, 0.1}));
  const SearchSpace odd{{{.field = "learning_rate", .low = 1.0 / 3, .high = 2.0 / 3}}};
  EXPECT_EQ(at(odd, base, {0}).learning_rate, 1.0 / 3);
  EXPECT_EQ(at(odd, base, {1}).learning_rate, 2.0 / 3);
  EXPECT_GE(at(odd, base, {1e-12}).learning_rate, 1.0 / 3);
}

TEST(SearchSpaceTest, HasTheGeometricMeanInTheMiddleOfALogScale) {
  const HyperParameters middle = at(whole, {}, {0.5, 0.5, 0.5, 0.5});
  EXPECT_EQ(middle, (HyperParameters{Optimizer::adam, 3.16228e-4, 0.4, 0.075}));
}

TEST(SearchSpaceTest, LeavesOtherFieldsToTheBase) {
  const HyperParameters base{Optimizer::rmsprop, 5e-3, 0.25, 0.3};
  const HyperParameters there = at(default_space(), base, {0, 1});
  EXPECT_EQ(there, (HyperParameters{Optimizer::rmsprop, 1e-4, 1, 0.3}));
}

TEST(SearchSpaceTest, DividesTheUnitIntervalEvenlyAmongChoices) {
  for (const int choices : {1, 2, 3, 4, 7})
    for (int choice = 0; choice < choices; ++choice)
      EXPECT_EQ(choice_at(unit_of_choice(choice, choices), choices), choice);
  EXPECT_EQ(choice_at(0, 3), 0);
  EXPECT_EQ(choice_at(1, 3), 2);
}

TEST(SearchSpaceTest, NamesTheFieldsWhereOneIsUnknown) {
  const SearchSpace space{{{.field = "momentum"}}};
  try {
    at(space, {}, {0.5});
    FAIL();
  } catch (const core::FieldError& error) {
    EXPECT_STREQ(error.what(),
                 "field is \"momentum\", but the hyper-parameters are: learning_rate, "
                 "shift_probability, shift_offset, optimizer.");
  }
  EXPECT_EQ(refused(space.dimensions[0]), "space.0.field");
}

TEST(SearchSpaceTest, RefusesRangesThatCannotWork) {
  EXPECT_EQ(refused(Dimension{.field = "learning_rate", .low = 0, .high = 1}), "space.0.low");
  EXPECT_EQ(refused(Dimension{.field = "learning_rate", .low = 1e-3, .high = 1e-3}),
            "space.0.low");
  EXPECT_EQ(refused(Dimension{.field = "learning_rate", .low = 1e-4, .high = INFINITY}),
            "space.0.high");
  EXPECT_EQ(refused(Dimension{.field = "shift_probability", .low = 0, .high = 1.5}),
            "space.0.high");
  EXPECT_EQ(refused(Dimension{.field = "shift_probability", .scale = Scale::log}),
            "space.0.low");
  EXPECT_EQ(refused(Dimension{.field = "shift_offset", .low = NAN}), "space.0.low");
  EXPECT_EQ(refused(Dimension{.field = "shift_offset", .choices = {"adam"}}),
            "space.0.choices");
  EXPECT_EQ(refused(Dimension{.field = "optimizer"}), "space.0.choices");
  EXPECT_EQ(refused(Dimension{.field = "optimizer", .choices = {"adam", "sgd"}}),
            "space.0.choices.1");
  EXPECT_EQ(refused(Dimension{.field = "optimizer", .choices = {"adam", "adam"}}),
            "space.0.choices.1");
}

TEST(SearchOptionsTest, RefuseWhatCannotWorkByName) {
  EXPECT_EQ(refused(SearchOptions{}), "nothing");
  const auto with = [](auto change) {
    SearchOptions options;
    change(options);
    return refused(options);
  };
  EXPECT_EQ(with([](auto& o) { o.trials = 0; }), "trials");
  EXPECT_EQ(with([](auto& o) { o.concurrency = 0; }), "concurrency");
  EXPECT_EQ(with([](auto& o) { o.space = {}; }), "space");
  EXPECT_EQ(with([](auto& o) { o.space.push_back(o.space[0]); }), "space.2.field");
  for (const int points : {-1, 0, 1})
    EXPECT_EQ(with([&](auto& o) { o.method = Method::grid, o.grid_points = points; }),
              "grid_points");
  EXPECT_EQ(with([](auto& o) { o.method = Method::grid, o.grid_points = 2; }), "nothing");
  EXPECT_EQ(with([](auto& o) { o.hidden = 0; }), "hidden");
  EXPECT_EQ(with([](auto& o) { o.controller_learning_rate = 0; }), "controller_learning_rate");
  EXPECT_EQ(with([](auto& o) { o.passes = 0; }), "passes");
  EXPECT_EQ(with([](auto& o) { o.elites = -1; }), "elites");
  EXPECT_EQ(with([](auto& o) { o.elites = 0; }), "nothing");
  EXPECT_EQ(with([](auto& o) { o.baseline_decay = 1; }), "baseline_decay");
  EXPECT_EQ(with([](auto& o) { o.entropy = NAN; }), "entropy");
  EXPECT_EQ(with([](auto& o) { o.entropy_decay = 1.1; }), "entropy_decay");
  EXPECT_EQ(with([](auto& o) { o.spread = 0; }), "spread");
  EXPECT_EQ(with([](auto& o) { o.ratio_clip = 1; }), "ratio_clip");
  EXPECT_EQ(with([](auto& o) { o.failed_reward = -INFINITY; }), "failed_reward");
}

}  // namespace
}  // namespace proxytune::search
