#include "proxytune/trials/trial.h"

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::trials {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TrialSpec some_spec() {
  return {.hyper_parameters = {.optimizer = Optimizer::novograd,
                               .learning_rate = 0.1 + 0.2,
                               .shift_probability = 1.0 / 3,
                               .shift_offset = 0},
          .network = "levels: 5",
          .training = "epochs: 40\npatch: [32, 32, 32]",
          .training_cases = {"a", "b \"quoted\""},
          .validation_cases = {"c"},
          .external_cases = {},
          .repeat = 3,
          .seed = -9007199254740993,
          .keep_weights = true};
}

TEST(TrialSpecTest, ComesBackExactlyFromItsText) {
  const TrialSpec spec = some_spec();
  EXPECT_EQ(spec_from_record(work::from_json(work::to_json(to_record(spec)))), spec);
}

TEST(TrialKeyTest, ChangesWithEveryField) {
  std::set<std::string> keys{trial_key(some_spec())};
  const auto changed = [&](auto change) {
    TrialSpec spec = some_spec();
    change(spec);
    EXPECT_TRUE(keys.insert(trial_key(spec)).second);
    EXPECT_EQ(trial_key(spec), trial_key(spec_from_record(to_record(spec))));
  };
  changed([](TrialSpec& s) { s.hyper_parameters.optimizer = Optimizer::adam; });
  changed([](TrialSpec& s) { s.hyper_parameters.learning_rate = 0.3; });
  changed([](TrialSpec& s) { s.hyper_parameters.shift_probability = 0.5; });
  changed([](TrialSpec& s) { s.hyper_parameters.shift_offset = 0.1; });
  changed([](TrialSpec& s) { s.hyper_parameters.weight_decay = 1e-5; });
  changed([](TrialSpec& s) { s.hyper_parameters.options["training.loss"] = "dice_ce"; });
  changed(
      [](TrialSpec& s) { s.hyper_parameters.options["training.epochs"] = std::int64_t{3}; });
  changed([](TrialSpec& s) { s.hyper_parameters.options["training.overlap"] = 3.0; });
  changed([](TrialSpec& s) { s.network = "levels: 4"; });
  changed([](TrialSpec& s) { s.training = "epochs: 41"; });
  changed([](TrialSpec& s) { s.training_cases = {"a"}; });
  changed([](TrialSpec& s) { s.validation_cases = {"d"}; });
  changed([](TrialSpec& s) { s.external_cases = {"e"}; });
  changed([](TrialSpec& s) { s.repeat = 4; });
  changed([](TrialSpec& s) { s.seed = 0; });
  changed([](TrialSpec& s) { s.keep_weights = false; });
  changed([](TrialSpec& s) { s.early_stop.after = 5; });
  changed([](TrialSpec& s) { s.early_stop = {.epochs = {5}, .below = {0.5}}; });
  changed([](TrialSpec& s) { s.early_stop = {.epochs = {5}, .below = {0.6}}; });
  // A case moved from one role to another is another trial.
  changed([](TrialSpec& s) { std::swap(s.training_cases, s.validation_cases); });
}

TEST(TrialKeyTest, OfATrialWithoutItsEarlyStopIsTheWholeOnes) {
  TrialSpec early = some_spec();
  early.early_stop = {.after = 10, .epochs = {4, 8}, .below = {0.1 + 0.2, 0.5}};
  EXPECT_EQ(spec_from_record(work::from_json(work::to_json(to_record(early)))), early);
  EXPECT_EQ(trial_key(without_early_stop(early)), trial_key(some_spec()));
}

/// A study finds its finished trials by their keys: those of trials that search no more than
/// these four fields are what they were before there were others.
TEST(TrialKeyTest, OfAnEarlierStudysTrialIsWhatItWas) {
  EXPECT_EQ(trial_key(some_spec()), "285d27f59ae0addacac1ce0cabc14f84");
}

TEST(TrialResultTest, ComesBackBitForBitWithItsNaNs) {
  TrialResult result;
  result.status = TrialStatus::diverged;
  result.reason = "the loss was NaN in step 12";
  result.best_validation_dice = nan;
  result.validation = {.classes = 2, .dice = {0.1, nan, std::nextafter(0.5, 1), 1}};
  result.loss = {1e-300, std::numeric_limits<double>::infinity(), nan};
  result.validated = {3, 7};
  result.validation_dice = {0.25, nan};
  result.seconds = 1.0 / 3;
  result.steps = 1234567890123;
  result.rank = 4;
  result.host = "node-07";
  result.device_seconds = 0.1;
  result.log_tail = "epoch 2: loss 0.5\nepoch 3: loss 0.4";
  const TrialResult back =
      result_from_record(work::from_json(work::to_json(to_record(result))));
  // NaN differs from itself: the texts say whether every field came back.
  EXPECT_EQ(work::to_json(to_record(back)), work::to_json(to_record(result)));
  EXPECT_EQ(back.status, TrialStatus::diverged);
  EXPECT_TRUE(std::isnan(back.best_validation_dice));
  EXPECT_EQ(back.best_epoch, -1);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(back.validation.dice[2]),
            std::bit_cast<std::uint64_t>(result.validation.dice[2]));
  EXPECT_TRUE(std::isnan(back.loss[2]));
  EXPECT_EQ(back.validated, result.validated);
  EXPECT_EQ(back.steps, result.steps);
  EXPECT_TRUE(back.weights_file.empty());
  EXPECT_EQ(back.device_seconds, 0.1);
  EXPECT_EQ(back.log_tail, result.log_tail);
}

TEST(TrialResultTest, OfAJournalWithoutDeviceSecondsHadItsRankAlone) {
  TrialResult result;
  result.seconds = 12;
  const work::Record present = to_record(result);
  work::Record old;
  for (const auto& [name, value] : present.values())
    if (name != "device_seconds")
      old.set(name, value);
  EXPECT_EQ(result_from_record(old).device_seconds, 12);
}

TEST(TrialResultTest, WithoutAnyCurveComesBack) {
  const TrialResult back =
      result_from_record(work::from_json(work::to_json(to_record(TrialResult{}))));
  EXPECT_TRUE(back.loss.empty());
  EXPECT_TRUE(back.validated.empty());
  EXPECT_EQ(back.validation.cases(), 0);
}

TEST(TrialResultTest, OfAnUnknownStatusIsRefused) {
  work::Record record = to_record(TrialResult{});
  record.set("status", std::string("exploded"));
  EXPECT_THROW(result_from_record(record), core::DataError);
}

TEST(CaseScoresTest, AverageCasesThenClassesAndSkipNaN) {
  const CaseScores scores{.classes = 2, .dice = {0.2, nan, 0.4, 0.9, 0.9, nan}};
  EXPECT_EQ(scores.cases(), 3);
  EXPECT_DOUBLE_EQ(scores.mean_by_class()[0], 0.5);
  EXPECT_DOUBLE_EQ(scores.mean_by_class()[1], 0.9);
  EXPECT_DOUBLE_EQ(scores.mean(), 0.7);
}

TEST(CaseScoresTest, OfNothingAreNaN) {
  EXPECT_TRUE(std::isnan(CaseScores{}.mean()));
  EXPECT_TRUE(std::isnan((CaseScores{.classes = 1, .dice = {nan}}.mean())));
  EXPECT_TRUE(std::isnan((CaseScores{.classes = 2, .dice = {}}.mean())));
  // A class that no case has does not pull the mean down.
  EXPECT_DOUBLE_EQ((CaseScores{.classes = 2, .dice = {0.5, nan}}.mean()), 0.5);
}

TEST(HyperParametersTest, OutsideTheirBoundsAreRefusedByName) {
  validate(HyperParameters{});
  validate(HyperParameters{.shift_probability = 0, .shift_offset = 0});
  const auto refused = [](const HyperParameters& hyper) {
    try {
      validate(hyper);
    } catch (const core::FieldError& error) {
      return error.field();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refused({.learning_rate = 0}), "learning_rate");
  EXPECT_EQ(refused({.learning_rate = -1e-3}), "learning_rate");
  EXPECT_EQ(refused({.learning_rate = nan}), "learning_rate");
  EXPECT_EQ(refused({.learning_rate = INFINITY}), "learning_rate");
  EXPECT_EQ(refused({.shift_probability = 1.01}), "shift_probability");
  EXPECT_EQ(refused({.shift_probability = nan}), "shift_probability");
  EXPECT_EQ(refused({.shift_offset = -0.1}), "shift_offset");
  EXPECT_EQ(refused({.shift_offset = INFINITY}), "shift_offset");
  EXPECT_EQ(refused({.weight_decay = -1e-5}), "weight_decay");
  EXPECT_EQ(refused({.weight_decay = nan}), "weight_decay");
}

TEST(HyperParametersTest, ComeBackExactlyWithSearchedOptionsOfEveryType) {
  const HyperParameters hyper{.learning_rate = 1.0 / 3,
                              .weight_decay = 1e-5,
                              .options = {{"training.loss", "dice"},
                                          {"training.patches_per_case", std::int64_t{2}},
                                          {"training.foreground_ratio", 1.0}}};
  const auto back =
      hyper_parameters_from_record(work::from_json(work::to_json(to_record(hyper))));
  EXPECT_EQ(back, hyper);
  EXPECT_EQ(number_of(back, "training.patches_per_case"), 2);
  EXPECT_EQ(number_of(back, "training.foreground_ratio"), 1);
  EXPECT_EQ(number_of(back, "weight_decay"), 1e-5);
  EXPECT_EQ(number_of(back, "training.loss"), std::nullopt);
  EXPECT_EQ(number_of(back, "training.epochs"), std::nullopt);
}

TEST(HyperParametersTest, FillATableWithAColumnOfItsTypeForEachOption) {
  HyperParameters one{.options = {{"training.loss", "dice"},
                                  {"training.epochs", std::int64_t{2}},
                                  {"training.overlap", 0.5}}};
  HyperParameters other = one;
  other.options.erase("training.loss");
  other.options["training.epochs"] = std::int64_t{3};
  other.options.erase("training.overlap");
  core::Table table{"/t", "t", {}};
  add_hyper_parameters(table, {one, other});
  core::validate(table);
  EXPECT_EQ(std::get<std::vector<std::string>>(table.column("training_loss").values),
            (std::vector<std::string>{"dice", ""}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(table.column("training_epochs").values),
            (std::vector<std::int64_t>{2, 3}));
  const auto& overlaps = std::get<core::Doubles>(table.column("training_overlap").values);
  EXPECT_EQ(overlaps[0], 0.5);
  EXPECT_TRUE(std::isnan(overlaps[1]));
}

}  // namespace
}  // namespace proxytune::trials
