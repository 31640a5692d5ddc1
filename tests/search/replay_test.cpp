#include "proxytune/search/replay.h"

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/search/controller.h"

namespace proxytune::search {
namespace {

SearchSpace some_space() {
  std::vector<SearchableField> fields = own_fields();
  fields.push_back({.field = "training.loss",
                    .kind = ValueKind::text,
                    .choices = {"dice", "dice_ce"},
                    .range = false});
  fields.push_back({.field = "training.patches_per_case", .kind = ValueKind::whole_number});
  return {resolve({{.field = "learning_rate", .low = 1e-4, .high = 1e-2, .scale = Scale::log},
                   {.field = "optimizer", .choices = {"adam", "novograd"}},
                   {.field = "weight_decay",
                    .low = 1e-6,
                    .high = 1e-2,
                    .scale = Scale::log,
                    .when = Condition{.field = "optimizer", .is = {"adam"}}},
                   {.field = "training.loss", .choices = {"dice", "dice_ce"}},
                   {.field = "training.patches_per_case", .low = 1, .high = 8}},
                  fields)};
}

trials::HyperParameters some_base() {
  trials::HyperParameters base;
  base.options = {{"training.loss", "dice"},
                  {"training.patches_per_case", std::int64_t{4}},
                  {"training.overlap", 0.25}};
  return base;
}

ListedPoint some_point() {
  return {{"learning_rate", "0.00123"},
          {"optimizer", "adam"},
          {"weight_decay", "1e-5"},
          {"training.loss", "dice_ce"},
          {"training.patches_per_case", "3"}};
}

std::string refused(const ListedPoint& changes, const std::string& without = "") {
  ListedPoint point = some_point();
  for (const auto& [field, text] : changes)
    point[field] = text;
  point.erase(without);
  try {
    replayed({some_point(), point}, some_space(), some_base());
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "nothing";
}

const std::string begin = "point 1 (counted from 0) is not of this search space: ";

TEST(ReplayTest, GivesEveryPointExactly) {
  ListedPoint other{{"learning_rate", "0.01"},
                    {"optimizer", "novograd"},
                    {"training_loss", "dice"},  // as the results name it
                    {"training_patches_per_case", "8"},
                    {"shift_probability", "0.5"},  // the study's
                    {"reward", "0.8"}};
  const auto points = replayed({some_point(), other, some_point()}, some_space(), some_base());
  ASSERT_EQ(points.size(), 3U);
  trials::HyperParameters expected = some_base();
  expected.learning_rate = 0.00123;
  expected.weight_decay = 1e-5;
  expected.options["training.loss"] = "dice_ce";
  expected.options["training.patches_per_case"] = std::int64_t{3};
  EXPECT_EQ(at(some_space(), some_base(), points[0]), expected);
  EXPECT_EQ(points[2], points[0]);
  expected = some_base();
  expected.learning_rate = 0.01;
  expected.optimizer = trials::Optimizer::novograd;
  expected.options["training.patches_per_case"] = std::int64_t{8};
  EXPECT_EQ(at(some_space(), some_base(), points[1]), expected);
}

TEST(ReplayTest, GivesWhatASearchOfTheSpaceProposedAgain) {
  const SearchSpace space = some_space();
  SearchOptions options{.method = Method::random};
  options.space = space.dimensions;
  const auto controller = make_controller(options, space, core::RandomKey(5));
  std::vector<trials::HyperParameters> proposed;
  std::vector<ListedPoint> listed;
  for (int k = 0; k < 200; ++k) {
    proposed.push_back(at(space, some_base(), controller->propose(k)));
    listed.emplace_back();
    for (const Dimension& dimension : space.dimensions)
      listed.back()[trials::column_of(dimension.field)] =
          trials::text_of(trials::value_of(proposed.back(), dimension.field).value());
  }
  const auto points = replayed(listed, space, some_base());
  for (std::size_t k = 0; k < points.size(); ++k)
    EXPECT_EQ(at(space, some_base(), points[k]), proposed[k]);
}

TEST(ReplayTest, RefusesAPointOutsideTheSpaceAndSaysWhy) {
  EXPECT_EQ(refused({}), "nothing");
  EXPECT_EQ(refused({{"learning_rate", "0.02"}}),
            begin + "learning_rate is 0.02, but is searched here from 1e-04 to 0.01");
  EXPECT_EQ(refused({{"training.loss", "ce"}}),
            begin + "training.loss is ce, but is chosen here from dice, dice_ce");
  EXPECT_EQ(refused({{"optimizer", "adamax"}}),
            begin + "optimizer is adamax, but is chosen here from adam, novograd");
  EXPECT_EQ(refused({{"learning_rate", "0.00123456789"}}),
            begin +
                "learning_rate is 0.00123456789, but a search's numbers have six "
                "significant digits");
  EXPECT_EQ(refused({{"learning_rate", "high"}}),
            begin + "learning_rate is \"high\", which is no number");
  EXPECT_EQ(refused({{"training.patches_per_case", "2.5"}}),
            begin + "training.patches_per_case is \"2.5\", which is no number");
  EXPECT_EQ(refused({}, "training.loss"),
            begin + "it has no training.loss, which this study searches");
}

TEST(ReplayTest, RefusesAnotherValueInWhatIsNotSearched) {
  EXPECT_EQ(refused({{"shift_probability", "0.7"}}),
            begin + "shift_probability is 0.7 there and 0.5 here, where it is not searched");
  EXPECT_EQ(refused({{"training_overlap", "0.5"}}),
            begin + "training.overlap is 0.5 there and 0.25 here, where it is not searched");
  // Not at this point, whose optimizer has none.
  EXPECT_EQ(refused({{"optimizer", "novograd"}}),
            begin + "weight_decay is 1e-5 there and 0 here, where it is not searched");
  EXPECT_EQ(refused({{"optimizer", "novograd"}, {"weight_decay", "0"}}), "nothing");
  EXPECT_THROW(replayed({}, some_space(), some_base()), core::DataError);
}

TEST(ReplayTest, TakesAnEmptyCellForNothingSaid) {
  EXPECT_EQ(refused({{"optimizer", "novograd"}, {"weight_decay", ""}}), "nothing");
  EXPECT_EQ(refused({{"shift_probability", ""}, {"training_overlap", ""}}), "nothing");
  EXPECT_EQ(refused({{"weight_decay", ""}}),
            begin + "it has no weight_decay, which this study searches");
  EXPECT_EQ(refused({{"training.loss", ""}}),
            begin + "it has no training.loss, which this study searches");
}

TEST(ReplayTest, ProposesTheListInItsOrderAndNoMore) {
  SearchOptions options{.method = Method::replay};
  options.replay = ReplayOptions{.points = "list.csv"};
  options.replay_points = {{0.25, 0.5}, {0.75, 0.5}, {0.25, 0.5}};
  const auto controller =
      make_controller(options, SearchSpace{options.space}, core::RandomKey(1));
  EXPECT_EQ(controller->limit(), 3);
  for (int k = 0; k < 3; ++k) {
    EXPECT_EQ(controller->propose(k), options.replay_points[static_cast<std::size_t>(k)]);
    controller->report(k, 0.5);
  }
}

TEST(ReplayOptionsTest, GoWithTheMethodAndNeedAList) {
  SearchOptions options;
  EXPECT_NO_THROW(validate(options));
  options.replay.emplace();
  EXPECT_THROW(validate(*options.replay), core::FieldError);
  options.replay->points = "list.csv";
  EXPECT_THROW(validate(options), core::FieldError);
  options.method = Method::replay;
  EXPECT_NO_THROW(validate(options));
  options.replay.reset();
  EXPECT_THROW(validate(options), core::FieldError);
}

}  // namespace
}  // namespace proxytune::search
