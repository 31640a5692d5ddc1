#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/analysis/search_tables.h"
#include "proxytune/analysis/sweep_tables.h"
#include "proxytune/analysis/trial_tables.h"
#include "proxytune/core/error.h"

namespace proxytune::analysis {
namespace {

using Numbers = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

template <class Values>
Values values(const core::Table& table, const std::string& column) {
  const core::Column::Values& all = table.column(column).values;
  if constexpr (std::is_same_v<Values, Numbers>) {
    const auto& numbers = std::get<core::Doubles>(all);
    return {numbers.begin(), numbers.end()};
  } else {
    return std::get<Values>(all);
  }
}

TrialRecord trial(double rate, const Texts& cases, double validation, double external) {
  TrialRecord record;
  record.key = "key" + std::to_string(rate) + std::to_string(validation);
  record.spec.hyper_parameters.learning_rate = rate;
  record.spec.training_cases = cases;
  record.spec.validation_cases = {"v"};
  record.spec.external_cases = {"e1", "e2"};
  record.result.best_validation_dice = validation;
  record.result.validation = {1, {validation}};
  record.result.seconds = 2 * 3600;
  record.result.device_seconds = 3600;
  record.external.scores = {1, {external, external}};
  return record;
}

/// Two grid points x two repeats: point 1 is best by validation, point 0 by external Dice.
struct Sweep {
  std::deque<TrialRecord> records;
  std::vector<ArmTrials> arms;

  void add(const std::string& arm,
           bool reference,
           const Texts& cases,
           const Numbers& validation,
           const Numbers& external) {
    ArmTrials trials{arm, arm + " data", {}, reference};
    for (int i = 0; i < 4; ++i) {
      const auto at = static_cast<std::size_t>(i);
      records.push_back(trial(i < 2 ? 1e-3 : 1e-4, cases, validation[at], external[at]));
      trials.trials.push_back({i / 2, i % 2, &records.back()});
    }
    arms.push_back(trials);
  }
};

Sweep small_sweep() {
  Sweep sweep;
  sweep.add("full", true, {"a", "b", "c"}, {0.5, 0.6, 0.8, 0.9}, {0.7, 0.9, 0.6, 0.7});
  sweep.add("proxy net", false, {"a", "b", "c"}, {0.4, 0.5, 0.6, 0.7}, {0.5, 0.6, 0.3, 0.5});
  sweep.add("proxy data", false, {"a"}, {0.3, 0.3, 0.2, 0.1}, {0.4, 0.5, 0.6, 0.7});
  return sweep;
}

TEST(Table1Test, ShowsEveryArmAtTheReferencesChoiceByEitherScore) {
  const Sweep sweep = small_sweep();
  const auto table = table_1(sweep.arms);
  core::validate(table);
  EXPECT_EQ(
      values<Texts>(table, "chosen_by"),
      (Texts{"external", "external", "external", "validation", "validation", "validation"}));
  EXPECT_EQ(values<Integers>(table, "grid_point"), (Integers{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(values<Numbers>(table, "learning_rate").at(3), 1e-4);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "external_dice").at(0), 0.8);
  EXPECT_NEAR(
      values<Numbers>(table, "external_dice_deviation").at(0), 0.2 / std::sqrt(2.0), 1e-15);
  EXPECT_NEAR(values<Numbers>(table, "difference").at(2), -0.35, 1e-15);
}

TEST(Table1Test, LeavesOutFailedTrialsAndHasNoRowsWithoutAReference) {
  Sweep sweep = small_sweep();
  sweep.records[0].result.status = trials::TrialStatus::diverged;
  const auto table = table_1(sweep.arms);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "external_dice").at(0), 0.9);
  EXPECT_EQ(values<Integers>(table, "external_repeats").at(0), 1);
  EXPECT_TRUE(std::isnan(values<Numbers>(table, "external_dice_deviation").at(0)));
  for (auto& record : sweep.records)
    record.result.status = trials::TrialStatus::failed;
  EXPECT_EQ(table_1(sweep.arms).rows(), 0U);
  sweep.arms[0].reference = false;
  EXPECT_EQ(table_1(sweep.arms).rows(), 0U);
  EXPECT_EQ(correlations(sweep.arms).rows(), 0U);
}

TEST(CorrelationsTest, CompareValidationDiceOnlyOnEqualData) {
  const Sweep sweep = small_sweep();
  const auto table = correlations(sweep.arms);
  core::validate(table);
  EXPECT_EQ(
      values<Texts>(table, "arm"),
      (Texts{"proxy net", "proxy net", "proxy net", "proxy net", "proxy data", "proxy data"}));
  EXPECT_EQ(
      values<Texts>(table, "score"),
      (Texts{"external", "external", "validation", "validation", "external", "external"}));
  EXPECT_EQ(values<Integers>(table, "points"), (Integers{4, 2, 4, 2, 4, 2}));
  EXPECT_NEAR(values<Numbers>(table, "pearson").at(3), 1.0, 1e-12);
  EXPECT_NEAR(
      values<Numbers>(table, "regret").at(4), 0.15, 1e-12);  // takes point 1: 0.65 for 0.8
  EXPECT_NEAR(values<Numbers>(table, "regret").at(0), 0.0, 1e-12);
}

TEST(CorrelationsTest, HaveNoExternalRowsWithoutAnExternalSet) {
  Sweep sweep = small_sweep();
  for (auto& record : sweep.records) {
    record.spec.external_cases.clear();
    record.external = {};
  }
  const auto table = correlations(sweep.arms);
  EXPECT_EQ(values<Texts>(table, "arm"), (Texts{"proxy net", "proxy net"}));
  EXPECT_EQ(values<Texts>(table, "score"), (Texts{"validation", "validation"}));
}

TEST(CorrelationsTest, TakeAnEmptyArm) {
  Sweep sweep = small_sweep();
  sweep.arms.push_back({"empty", "", {}, false});
  const auto table = correlations(sweep.arms);
  EXPECT_EQ(table.rows(), 8U);
  EXPECT_TRUE(std::isnan(values<Numbers>(table, "pearson").at(6)));
  EXPECT_EQ(values<Integers>(table, "points").at(6), 0);
  core::validate(sweep_points(sweep.arms));
  EXPECT_EQ(sweep_points({}).rows(), 0U);
}

TEST(DiceAgainstBudgetTest, CountsTrainingAndValidationCases) {
  const Sweep sweep = small_sweep();
  const auto table = dice_against_budget(sweep.arms);
  core::validate(table);
  EXPECT_EQ(values<Numbers>(table, "cases"), (Numbers{4, 4, 2, 4, 4, 2}));
  EXPECT_EQ(values<Numbers>(table, "share"), (Numbers{1, 1, 0.5, 1, 1, 0.5}));
}

struct Searches {
  Sweep sweep = small_sweep();
  std::vector<SearchedArm> arms;
  Searches() {
    const auto records = [&](std::size_t from, std::size_t to) {
      std::vector<const TrialRecord*> some;
      for (std::size_t i = from; i < to; ++i)
        some.push_back(&sweep.records[i]);
      return some;
    };
    const trials::HyperParameters full{.learning_rate = 1e-3, .shift_probability = 0.5};
    const trials::HyperParameters proxy{.learning_rate = 1e-4, .shift_probability = 0.25};
    const SearchedArm all{"full", "all", true, full, records(0, 4), records(0, 2), 0};
    const SearchedArm few{"proxy", "few", false, proxy, records(4, 5), records(2, 4), 1800};
    arms = {all, few};
  }
};

TEST(Table2Test, SummarisesTheFinalModels) {
  const Searches searches;
  const auto table = table_2(searches.arms);
  core::validate(table);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "external_dice").at(1), 0.65);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "validation_dice").at(1), 0.85);
  EXPECT_EQ(values<Integers>(table, "repeats").at(1), 2);
}

TEST(Table2Test, CountsFinalModelsWithoutAnExternalSetToo) {
  Searches searches;
  for (auto& record : searches.sweep.records)
    record.external = {};
  const auto table = table_2(searches.arms);
  EXPECT_EQ(values<Integers>(table, "repeats"), (Integers{2, 2}));
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "validation_dice").at(1), 0.85);
  EXPECT_TRUE(std::isnan(values<Numbers>(table, "external_dice").at(1)));
}

TEST(Table2Test, ComparesFinalModelsWithTheReferencesRepeatByRepeat) {
  Searches searches;
  // The arm's come in another order: 0.9 - 0.7 and 0.2 - 0.5 of repeats 1 and 0.
  auto& records = searches.sweep.records;
  for (const auto& [index, repeat, external] :
       {std::tuple(0U, 0, 0.5), {1U, 1, 0.7}, {2U, 1, 0.9}, {3U, 0, 0.2}}) {
    records[index].spec.repeat = repeat;
    records[index].external.scores = {1, {external}};
  }
  auto table = table_2(searches.arms);
  EXPECT_EQ(values<Numbers>(table, "difference").at(0), 0);
  EXPECT_NEAR(values<Numbers>(table, "difference").at(1), -0.05, 1e-12);
  // Student's t for one degree of freedom times 0.25.
  EXPECT_NEAR(values<Numbers>(table, "difference_low").at(1), -0.05 - 12.706 * 0.25, 1e-3);
  EXPECT_NEAR(values<Numbers>(table, "difference_high").at(1), -0.05 + 12.706 * 0.25, 1e-3);
  records[3].spec.repeat = 5;  // of the reference there is none
  table = table_2(searches.arms);
  EXPECT_NEAR(values<Numbers>(table, "difference").at(1), 0.2, 1e-12);
  EXPECT_TRUE(std::isnan(values<Numbers>(table, "difference_low").at(1)));
  searches.arms[0].reference = false;
  EXPECT_TRUE(std::isnan(values<Numbers>(table_2(searches.arms), "difference").at(1)));
}

TEST(Table2CostsTest, PartsTheGainIntoEpochsStepsAndTimeAStep) {
  Searches searches;
  auto& records = searches.sweep.records;
  for (std::size_t i = 0; i < 4; ++i) {  // the reference: 4 h for 4 trials of 10 epochs
    records[i].result.loss.assign(10, 0.5);
    records[i].result.steps = 120;
  }
  records[4].result.loss.assign(20, 0.5);  // the arm: 1 h
  records[4].result.steps = 60;
  const auto table = table_2_costs(searches.arms, 1);
  EXPECT_EQ(values<Numbers>(table, "fewer_epochs"), (Numbers{1, 2}));
  EXPECT_EQ(values<Numbers>(table, "fewer_steps"), (Numbers{1, 4}));
  EXPECT_EQ(values<Numbers>(table, "faster_steps"), (Numbers{1, 0.5}));
  EXPECT_EQ(values<Numbers>(table, "search_ratio"), (Numbers{1, 4}));
}

TEST(Table2CostsTest, CountsSearchThenRankingThenTrainingAndLiesUnderExecution) {
  const Searches searches;
  const auto table = table_2_costs(searches.arms, 2);
  core::validate(table);
  EXPECT_TRUE(table.path.starts_with("/execution/"));
  EXPECT_EQ(values<Numbers>(table, "search_hours"), (Numbers{8, 2}));
  EXPECT_EQ(values<Numbers>(table, "with_ranking_hours"), (Numbers{8, 2.5}));
  EXPECT_EQ(values<Numbers>(table, "with_training_hours"), (Numbers{12, 6.5}));
  EXPECT_EQ(values<Numbers>(table, "search_ratio"), (Numbers{1, 4}));
}

TEST(RelativeDistancesTest, GivesBothReadingsAndTheNorm) {
  const Searches searches;
  const auto table = relative_distances(
      searches.arms, {{"learning_rate", 1e-4, 1e-3, true}, {"shift_probability", 0, 1, false}});
  core::validate(table);
  EXPECT_EQ(table.rows(), 6U);
  EXPECT_NEAR(values<Numbers>(table, "scaled_distance").at(3), 1.0, 1e-12);
  EXPECT_NEAR(values<Numbers>(table, "relative_distance").at(3), 0.9, 1e-12);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "scaled_distance").at(4), 0.25);
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "relative_distance").at(4), 0.5);
  EXPECT_NEAR(values<Numbers>(table, "scaled_distance").at(5), std::sqrt(1.0625), 1e-12);
  EXPECT_EQ(relative_distances({}, {}).rows(), 0U);
}

TEST(SearchTablesTest, DistancesGoOverSearchedOptionsToo) {
  std::vector<SearchedArm> arms(2);
  arms[0].arm = "reference";
  arms[0].reference = true;
  arms[0].found.options = {{"training.patches_per_case", std::int64_t{4}},
                           {"training.foreground_ratio", 0.5}};
  arms[1].arm = "proxy";
  arms[1].found.weight_decay = 1e-3;
  arms[1].found.options = {{"training.patches_per_case", std::int64_t{1}},
                           {"training.foreground_ratio", 0.75}};
  const auto table = relative_distances(arms,
                                        {{"training.patches_per_case", 1, 5, false},
                                         {"training.foreground_ratio", 0, 1, false},
                                         {"weight_decay", 1e-5, 1e-2, true}});
  const auto scaled = values<Numbers>(table, "scaled_distance");
  ASSERT_EQ(scaled.size(), 8U);
  EXPECT_DOUBLE_EQ(scaled[4], 0.75);
  EXPECT_DOUBLE_EQ(scaled[5], 0.25);
  // The reference trained without decay, which has no place on a log scale.
  EXPECT_TRUE(std::isnan(scaled[6]));
  EXPECT_DOUBLE_EQ(scaled[7], std::sqrt(0.75 * 0.75 + 0.25 * 0.25));
  EXPECT_DOUBLE_EQ(values<Numbers>(table, "relative_distance").at(4), 0.75);
}

TEST(TrialTablesTest, KeepTimesUnderExecution) {
  const Sweep sweep = small_sweep();
  const std::vector<StagedTrial> staged{{"sweep", {"full", "other"}, &sweep.records[0]}};
  const auto execution = execution_table(staged, {{"trial/" + sweep.records[0].key, 2}});
  core::validate(execution);
  EXPECT_TRUE(execution.path.starts_with("/execution/"));
  EXPECT_EQ(values<Integers>(execution, "attempts"), Integers{3});
  EXPECT_EQ(
      values<Integers>(execution_table({{"train", {}, &sweep.records[0]}},
                                       {{"trial/" + sweep.records[0].key, 1}, {"tile/a", 5}}),
                       "attempts"),
      Integers{2});
  const auto table = trials_table(staged, "/sweep/trials");
  core::validate(table);
  EXPECT_EQ(values<Texts>(table, "arms"), Texts{"full,other"});
  for (const core::Column& column : table.columns) {
    EXPECT_NE(column.unit, "s");
    EXPECT_NE(column.name, "host");
    EXPECT_NE(column.name, "rank");
    EXPECT_FALSE(column.description.empty());
  }
}

TEST(TrialTablesTest, PadLearningCurvesOfUnequalLength) {
  Sweep sweep = small_sweep();
  sweep.records[0].result.loss = {0.9, 0.8, 0.7};
  sweep.records[0].result.validated = {0, 2};
  sweep.records[0].result.validation_dice = {0.1, 0.3};
  sweep.records[1].result.loss = {0.5};
  const auto table = learning_curves_table(
      {{"sweep", {}, &sweep.records[0]}, {"sweep", {}, &sweep.records[1]}}, "/sweep/curves");
  core::validate(table);
  EXPECT_EQ(table.column("loss").shape, (std::vector<std::size_t>{2, 3}));
  const auto loss = values<Numbers>(table, "loss");
  EXPECT_EQ(loss[3], 0.5);
  EXPECT_TRUE(std::isnan(loss[4]));
  const auto dice = values<Numbers>(table, "validation_dice");
  EXPECT_TRUE(std::isnan(dice[1]));
  EXPECT_EQ(dice[2], 0.3);
  core::validate(learning_curves_table({}, "/sweep/curves"));
}

TEST(TrialTablesTest, GiveEveryCaseAndClassItsRow) {
  Sweep sweep = small_sweep();
  sweep.records[0].external.scores = {2, {0.1, 0.2, 0.3, 0.4}};
  const std::vector<StagedTrial> staged{{"sweep", {}, &sweep.records[0]}};
  const auto table = case_scores_table(staged, {{"e2", "case two"}}, "/sweep/cases");
  core::validate(table);
  EXPECT_EQ(values<Texts>(table, "case"), (Texts{"v", "e1", "e1", "case two", "case two"}));
  EXPECT_EQ(values<Integers>(table, "class"), (Integers{1, 1, 2, 1, 2}));
  EXPECT_EQ(values<Numbers>(table, "dice"), (Numbers{0.5, 0.1, 0.2, 0.3, 0.4}));
  sweep.records[0].external.scores = {1, {0.1}};
  EXPECT_THROW(case_scores_table(staged, {}, "/sweep/cases"), core::DataError);
}

TEST(TrialRecordTest, PutsExternalScoresBesideTheResultAndReadsThemBack) {
  const TrialRecord before = trial(1e-3, {"a"}, 0.5, 0.7);
  work::Record record = trials::to_record(before.result);
  EXPECT_TRUE(trial_record(before.key, before.spec, record).external.scores.dice.empty());
  add_external(record, before.external);
  const TrialRecord after = trial_record(before.key, before.spec, record);
  EXPECT_EQ(after.external.scores.dice, before.external.scores.dice);
  EXPECT_EQ(after.external.scores.classes, 1);
  EXPECT_EQ(after.result.best_validation_dice, 0.5);
  EXPECT_EQ(after.spec, before.spec);
}

}  // namespace
}  // namespace proxytune::analysis
