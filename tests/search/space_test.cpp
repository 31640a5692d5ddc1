#include "proxytune/search/space.h"

#include <cmath>
#include <map>

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

/// The fields of the hyper-parameters, and such as training options are.
std::vector<SearchableField> fields() {
  std::vector<SearchableField> all = own_fields();
  all.push_back({.field = "training.epochs", .kind = ValueKind::whole_number});
  all.push_back({.field = "training.foreground_ratio"});
  all.push_back({.field = "training.loss",
                 .kind = ValueKind::text,
                 .choices = {"dice", "dice_ce"},
                 .range = false});
  all.push_back({.field = "training.patch", .kind = ValueKind::text, .range = false});
  all.push_back({.field = "training.window", .refusal = "it decides the score."});
  return all;
}

std::string refused(const SearchOptions& options) {
  try {
    validate(options);
  } catch (const core::FieldError& error) {
    return error.field();
  }
  try {
    resolve(options.space, fields());
  } catch (const core::FieldError& error) {
    return "space." + error.field();
  }
  return "nothing";
}

std::string sentence_of(const std::vector<Dimension>& space) {
  try {
    validate_space(space);
    resolve(space, fields());
  } catch (const core::FieldError& error) {
    return error.what();
  }
  return "nothing";
}

/// How often each whole number comes of coordinates that are spread evenly.
std::map<std::int64_t, int> histogram(const Dimension& dimension, int points) {
  const SearchSpace space{resolve({dimension}, fields())};
  std::map<std::int64_t, int> counts;
  for (int i = 0; i < points; ++i)
    ++counts[std::get<std::int64_t>(
        *trials::value_of(at(space, {}, {(i + 0.5) / points}), dimension.field))];
  return counts;
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
                 "shift_probability, shift_offset, weight_decay, optimizer.");
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
            "space.0.choices.0");
  EXPECT_EQ(refused(Dimension{.field = "shift_probability", .choices = {"0.5", "1.5"}}),
            "space.0.choices.1");
  EXPECT_EQ(refused(Dimension{.field = "weight_decay", .low = -1}), "space.0.low");
  EXPECT_EQ(refused(Dimension{.field = "optimizer"}), "space.0.choices");
  EXPECT_EQ(refused(Dimension{.field = "optimizer", .choices = {"adam", "sgd"}}),
            "space.0.choices.1");
  EXPECT_EQ(refused(Dimension{.field = "optimizer", .choices = {"adam", "adam"}}),
            "space.0.choices.1");
}

TEST(SearchSpaceTest, GivesEveryWholeNumberOfARangeTheSameShare) {
  const Dimension epochs{.field = "training.epochs", .low = 2, .high = 6};
  for (const auto& [value, count] : histogram(epochs, 1000))
    EXPECT_EQ(count, 200) << value;
  EXPECT_EQ(histogram(epochs, 1000).size(), 5U);
}

TEST(SearchSpaceTest, GivesWholeNumbersOnALogScaleTheShareOfTheirLogarithms) {
  const Dimension epochs{.field = "training.epochs", .low = 1, .high = 8, .scale = Scale::log};
  const auto counts = histogram(epochs, 100000);
  EXPECT_EQ(counts.size(), 8U);
  for (const auto& [value, count] : counts) {
    const auto k = static_cast<double>(value);
    EXPECT_NEAR(count, 100000 * std::log((k + 0.5) / (k - 0.5)) / std::log(8.5 / 0.5), 2.0);
  }
}

TEST(SearchSpaceTest, GivesEachValueBackFromItsCoordinate) {
  const SearchSpace space{
      resolve({{.field = "learning_rate", .low = 1e-5, .high = 1e-2, .scale = Scale::log},
               {.field = "training.epochs", .low = 1, .high = 9},
               {.field = "training.epochs", .low = 3, .high = 90, .scale = Scale::log},
               {.field = "training.epochs", .choices = {"7", "2", "30"}},
               {.field = "training.foreground_ratio", .low = 0.25, .high = 0.75},
               {.field = "training.patch", .choices = {"[8, 8, 8]", "[16, 16, 16]"}}},
              fields())};
  for (const Dimension& dimension : space.dimensions)
    for (int i = 0; i <= 40; ++i) {
      const SearchSpace line{{dimension}};
      const auto value = *trials::value_of(at(line, {}, {i / 40.0}), dimension.field);
      const auto unit = unit_of(dimension, value);
      ASSERT_TRUE(unit.has_value());
      EXPECT_EQ(*trials::value_of(at(line, {}, {*unit}), dimension.field), value);
    }
}

TEST(SearchSpaceTest, ClipsNumbersBeyondARangeAndKnowsNoOtherChoice) {
  const auto space =
      resolve({{.field = "learning_rate", .low = 1e-4, .high = 1e-3, .scale = Scale::log},
               {.field = "training.epochs", .low = 2, .high = 5},
               {.field = "optimizer", .choices = {"adam", "adamax"}}},
              fields());
  EXPECT_EQ(unit_of(space[0], 1e-6), 0);
  EXPECT_EQ(unit_of(space[0], 1.0), 1);
  EXPECT_EQ(at({{space[1]}}, {}, {*unit_of(space[1], std::int64_t{99})})
                .options.at("training.epochs"),
            trials::FieldValue(std::int64_t{5}));
  EXPECT_EQ(unit_of(space[2], "novograd"), std::nullopt);
  EXPECT_EQ(unit_of(space[0], "fast"), std::nullopt);
}

TEST(ConditionTest, LeavesAFieldToTheBaseWhereItDoesNotHold) {
  const SearchSpace space{resolve({{.field = "weight_decay",
                                    .low = 1e-5,
                                    .high = 1e-2,
                                    .when = Condition{"training.loss", {"dice_ce"}}},
                                   {.field = "optimizer", .choices = {"adam", "novograd"}},
                                   {.field = "training.loss",
                                    .choices = {"dice", "dice_ce"},
                                    .when = Condition{"optimizer", {"novograd"}}}},
                                  fields())};
  HyperParameters base;
  base.weight_decay = 0.25;
  base.options["training.loss"] = "dice";
  const auto adam = at(space, base, {0.5, 0.25, 0.75});
  EXPECT_EQ(adam.optimizer, Optimizer::adam);
  EXPECT_EQ(adam.options.at("training.loss"), trials::FieldValue("dice"));
  EXPECT_EQ(adam.weight_decay, 0.25);
  // What is not there does not make another trial.
  EXPECT_EQ(at(space, base, {0.9, 0.25, 0.1}), adam);
  EXPECT_EQ(active(space, adam), (std::vector<bool>{false, true, false}));
  const auto plain = at(space, base, {0.5, 0.75, 0.25});
  EXPECT_EQ(active(space, plain), (std::vector<bool>{false, true, true}));
  const auto whole_space = at(space, base, {0, 0.75, 0.75});
  EXPECT_EQ(whole_space.options.at("training.loss"), trials::FieldValue("dice_ce"));
  EXPECT_EQ(whole_space.weight_decay, 1e-5);
}

TEST(ConditionTest, ThatCannotHoldIsRefused) {
  const Dimension optimizer{.field = "optimizer", .choices = {"adam", "adamax"}};
  const auto with = [&](const Condition& condition) {
    return refused(SearchOptions{
        .space = {optimizer, {.field = "weight_decay", .high = 1, .when = condition}}});
  };
  EXPECT_EQ(with({"optimizer", {"adam"}}), "nothing");
  EXPECT_EQ(with({"optimizer", {}}), "space.1.when.is");
  EXPECT_EQ(with({"optimizer", {"adam", "adam"}}), "space.1.when.is.1");
  EXPECT_EQ(with({"optimizer", {"adam", "novograd"}}), "space.1.when.is.1");
  EXPECT_EQ(with({"training.loss", {"dice"}}), "space.1.when.field");
  EXPECT_EQ(with({"weight_decay", {"1"}}), "space.1.when.field");
  Dimension loss{.field = "training.loss",
                 .choices = {"dice", "dice_ce"},
                 .when = Condition{"optimizer", {"adam"}}};
  Dimension circular = optimizer;
  circular.when = Condition{"training.loss", {"dice"}};
  EXPECT_EQ(refused(SearchOptions{.space = {loss, circular}}), "space.0.when.field");
  loss.when = Condition{"training.loss", {"dice"}};
  EXPECT_EQ(refused(SearchOptions{.space = {loss}}), "space.0.when.field");
}

TEST(ResolveTest, SaysWhichFieldWasMeantAndWhyOneIsRefused) {
  EXPECT_EQ(sentence_of({{.field = "momentum"}}),
            "0.field is \"momentum\", which is no hyper-parameter. Those that may be searched "
            "are: learning_rate, shift_probability, shift_offset, weight_decay, optimizer, "
            "training.epochs, training.foreground_ratio, training.loss, training.patch.");
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(sentence_of({{.field = "learnin_rate"}}), "did you mean \"learning_rate\"?"));
  EXPECT_TRUE(has(sentence_of({{.field = "loss", .choices = {"dice"}}}),
                  "did you mean \"training.loss\"?"));
  EXPECT_EQ(sentence_of({{.field = "training.window"}}),
            "0.field is \"training.window\", which is not to be searched: it decides the "
            "score.");
  EXPECT_EQ(refused(Dimension{.field = "training.loss"}), "space.0.choices");
  EXPECT_EQ(refused(Dimension{.field = "training.loss", .choices = {"dice", "ce"}}),
            "space.0.choices.1");
  EXPECT_EQ(refused(Dimension{.field = "training.epochs", .low = 1, .high = 2.5}),
            "space.0.high");
  EXPECT_EQ(refused(Dimension{.field = "training.epochs", .choices = {"1", "1.5"}}),
            "space.0.choices.1");
  EXPECT_EQ(refused(Dimension{.field = "training.epochs", .low = 1, .high = 9}), "nothing");
  // Two spellings of one value.
  EXPECT_EQ(refused(Dimension{.field = "learning_rate", .choices = {"0.01", "0.001", "1e-3"}}),
            "space.0.choices.2");
  EXPECT_EQ(refused(Dimension{.field = "training.epochs", .choices = {"12", "012"}}),
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
  EXPECT_EQ(with([](auto& o) { o.warm_start.emplace().best = o.trials + 1; }),
            "warm_start.best");
}

}  // namespace
}  // namespace proxytune::search
