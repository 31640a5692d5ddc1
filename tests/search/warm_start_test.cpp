#include "proxytune/search/warm_start.h"

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/search/search_source.h"

namespace proxytune::search {
namespace {

using trials::FieldValue;
using trials::HyperParameters;
using trials::Optimizer;

HyperParameters point(Optimizer optimizer, double rate, const std::string& loss = "dice") {
  HyperParameters hyper{.optimizer = optimizer, .learning_rate = rate};
  hyper.options["training.loss"] = loss;
  return hyper;
}

/// As results.h5 of an earlier search has it.
core::Table trace(const std::vector<HyperParameters>& points,
                  const std::vector<double>& dice,
                  std::vector<std::string> status = {}) {
  status.resize(points.size(), "completed");
  core::Table table{"/search/proxy", "t", {}};
  trials::add_hyper_parameters(table, points);
  table.add("status", "1", "t", status);
  table.add("reward", "1", "t", dice);
  return table;
}

core::Table sweep(const std::vector<HyperParameters>& points,
                  const std::vector<std::string>& arms,
                  const std::vector<double>& dice) {
  core::Table table{"/trials/sweep", "t", {}};
  table.add("arms", "1", "t", arms);
  trials::add_hyper_parameters(table, points);
  table.add("training_cases", "1", "t", std::vector<std::int64_t>(points.size(), 4));
  table.add("status", "1", "t", std::vector<std::string>(points.size(), "completed"));
  table.add("validation_dice", "1", "t", dice);
  return table;
}

EarlierPoints searched(const core::Table& table) {
  return earlier_points({table}, EarlierStage::search, "proxy", {});
}

const SearchSpace rates_and_loss{
    {{.field = "learning_rate", .low = 1e-4, .high = 1e-2, .scale = Scale::log},
     {.field = "training.loss", .choices = {"dice", "dice_ce"}, .kind = ValueKind::text}}};

HyperParameters base() {
  return point(Optimizer::adam, 1e-3);
}

template <class What>
std::string complaint(const What& what) {
  try {
    what();
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "no complaint";
}

TEST(WarmStartTest, TakesTheBestDistinctPointsInTheirOrder) {
  const auto earlier = searched(trace({point(Optimizer::adam, 1e-4),
                                       point(Optimizer::adam, 1e-3, "dice_ce"),
                                       point(Optimizer::adam, 1e-4),
                                       point(Optimizer::adam, 5e-3),
                                       point(Optimizer::adam, 2e-3)},
                                      {0.8, 0.7, 0.8, 0.99, 0.6},
                                      {"completed", "completed", "completed", "diverged"}));
  const FirstProposals first = first_proposals(earlier, rates_and_loss, base(), 2);
  ASSERT_EQ(first.unit_points.size(), 2U);
  EXPECT_EQ(at(rates_and_loss, base(), first.unit_points[0]), point(Optimizer::adam, 1e-4));
  EXPECT_EQ(at(rates_and_loss, base(), first.unit_points[1]),
            point(Optimizer::adam, 1e-3, "dice_ce"));
  EXPECT_EQ(first.outside, 0);
  EXPECT_EQ(first_proposals(earlier, rates_and_loss, base(), 50).unit_points.size(), 3U);
}

TEST(WarmStartTest, OfASweepTakesMeansOverRepeats) {
  const auto table = sweep({point(Optimizer::adam, 1e-3),
                            point(Optimizer::adam, 1e-4),
                            point(Optimizer::adam, 1e-3),
                            point(Optimizer::adam, 1e-4),
                            point(Optimizer::adam, 5e-3)},
                           {"all,proxy", "proxy", "proxy", "all,proxy", "all"},
                           {0.9, 0.7, 0.4, 0.7, 1.0});
  const auto earlier = earlier_points({table}, EarlierStage::sweep, "proxy", {});
  ASSERT_EQ(earlier.points.size(), 2U);
  EXPECT_EQ(earlier.points[0].hyper_parameters.learning_rate, 1e-4);
  EXPECT_DOUBLE_EQ(earlier.points[1].dice, 0.65);
  EXPECT_EQ(earlier.varied, std::set<std::string>{"training.loss"});
  EXPECT_EQ(complaint([&] { earlier_points({table}, EarlierStage::sweep, "prox", {}); }),
            "it has no sweep of an arm prox; the arms that it has one of are: all, proxy");
}

TEST(WarmStartTest, ClipsNumbersAndLeavesOutWhatThisSpaceDoesNotHold) {
  const auto earlier = searched(trace({point(Optimizer::novograd, 1e-3),
                                       point(Optimizer::adam, 1e-6),
                                       point(Optimizer::adam, 1e-3, "other"),
                                       point(Optimizer::adam, 1.0)},
                                      {0.9, 0.8, 0.7, 0.6}));
  const FirstProposals first = first_proposals(earlier, rates_and_loss, base(), 2);
  EXPECT_EQ(first.unit_points[0][0], 0);
  EXPECT_EQ(first.unit_points[1][0], 1);
  EXPECT_EQ(first.clipped, 2);
  EXPECT_EQ(first.outside, 2);
  EXPECT_EQ(first.why_outside,
            "optimizer is novograd there and adam here, where it is not searched");
}

TEST(WarmStartTest, OfAnotherSpaceIsRefusedWithWhatDiffers) {
  const auto other = searched(trace({point(Optimizer::adam, 1e-3, "focal")}, {0.9}));
  EXPECT_EQ(complaint([&] { first_proposals(other, rates_and_loss, base(), 1); }),
            "none of its points is of this search space: training.loss is focal there, but is "
            "chosen here from dice, dice_ce");
  const SearchSpace rates{{rates_and_loss.dimensions[0]}};
  EXPECT_EQ(complaint([&] { first_proposals(other, rates, base(), 1); }),
            "none of its points is of this search space: training.loss is focal there and dice "
            "here, where it is not searched");
  EXPECT_EQ(complaint([&] { first_proposals({}, rates, base(), 1); }),
            "none of its trials was scored");
  const auto table = trace({base()}, {0.9});
  EXPECT_EQ(complaint([&] { earlier_points({table}, EarlierStage::search, "full", {}); }),
            "it has no search of an arm full; the arms that it has one of are: proxy");
  EXPECT_EQ(complaint([&] { earlier_points({table}, EarlierStage::sweep, "full", {}); }),
            "it has no sweep of an arm full, nor of any other");
}

TEST(WarmStartTest, ReadsWhatWasNotSearchedThereFromThatStudysOptions) {
  core::Table table = trace({HyperParameters{.learning_rate = 2e-3}}, {0.9});
  // As of a version before there was weight decay.
  std::erase_if(table.columns,
                [](const auto& column) { return column.name == "weight_decay"; });
  const auto earlier = earlier_points(
      {table}, EarlierStage::search, "proxy", {{"training.loss", FieldValue("dice_ce")}});
  const FirstProposals first = first_proposals(earlier, rates_and_loss, base(), 1);
  EXPECT_EQ(at(rates_and_loss, base(), first.unit_points.at(0)),
            point(Optimizer::adam, 2e-3, "dice_ce"));
}

TEST(WarmStartTest, ProposesItsPointsFirstAndLearnsFromWhatTheyGiveHere) {
  const auto make_spec = [](const HyperParameters& hyper, const std::string& /*arm*/) {
    trials::TrialSpec spec;
    spec.hyper_parameters = hyper;
    return spec;
  };
  const std::vector<std::vector<double>> points{{0.1, 0.9}, {0.2, 0.8}};
  const SearchOptions options{.trials = 12, .concurrency = 3, .first_points = points};
  const auto run = [&](bool good_first, int workers) {
    SearchSource source(options, {}, core::RandomKey(1), make_spec);
    std::vector<work::Item> open;
    for (;;) {
      while (std::ssize(open) < workers)
        if (auto item = source.next())
          open.push_back(*item);
        else
          break;
      if (open.empty())
        return source.outcome();
      const double rate =
          trials::spec_from_record(open.back().what).hyper_parameters.learning_rate;
      trials::TrialResult result;
      result.best_validation_dice = good_first ? 1 - rate : rate;
      source.report(open.back(), trials::to_record(result));
      open.pop_back();
    }
  };
  const SearchOutcome outcome = run(true, 1);
  ASSERT_EQ(outcome.proposals.size(), 12U);
  EXPECT_EQ(outcome.proposals[0].unit_point, points[0]);
  EXPECT_EQ(outcome.proposals[1].unit_point, points[1]);
  EXPECT_TRUE(outcome.policy_mean.has_value());
  for (const int workers : {2, 3, 5})
    EXPECT_EQ(run(true, workers), outcome);
  EXPECT_NE(run(false, 1).proposals.back().unit_point, outcome.proposals.back().unit_point);
  // A grid has its points and those given.
  SearchSource grid(
      {.method = Method::grid, .trials = 50, .grid_points = 2, .first_points = points},
      {},
      core::RandomKey(1),
      make_spec);
  int count = 0;
  while (auto item = grid.next()) {
    grid.report(*item, trials::to_record(trials::TrialResult{}));
    ++count;
  }
  EXPECT_EQ(count, 4 + 2);
}

}  // namespace
}  // namespace proxytune::search
