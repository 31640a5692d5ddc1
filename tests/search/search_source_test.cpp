#include "proxytune/search/search_source.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <filesystem>
#include <limits>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"
#include "proxytune/core/logging.h"

namespace proxytune::search {
namespace {

using trials::HyperParameters;
using trials::TrialResult;
using trials::TrialStatus;

trials::TrialSpec spec_of(const HyperParameters& hyper) {
  trials::TrialSpec spec;
  spec.hyper_parameters = hyper;
  spec.network = "levels: 5";
  return spec;
}

SearchSource source_for(const SearchOptions& options) {
  return SearchSource(
      options,
      HyperParameters{},
      core::RandomKey(11),
      [](const HyperParameters& hyper, const std::string&) { return spec_of(hyper); });
}

/// A smooth surface of the hyper-parameters that stands for a training.
double dice_of(const HyperParameters& hyper) {
  const double rate = std::log10(hyper.learning_rate) + 3.2;
  return 0.85 - 0.2 * rate * rate - 0.1 * std::pow(hyper.shift_probability - 0.3, 2);
}

work::Record train(const work::Item& item) {
  TrialResult result;
  result.best_validation_dice = dice_of(trials::spec_from_record(item.what).hyper_parameters);
  return trials::to_record(result);
}

/// Runs a source with `workers` pieces open at once, finished in an order drawn from `seed`.
/// Returns the keys in the order in which they were handed out.
template <class Train>
std::vector<std::string> simulate(SearchSource& source,
                                  int workers,
                                  std::uint64_t seed,
                                  const Train& run) {
  core::Random random{core::RandomKey(seed)};
  std::vector<std::string> keys;
  std::vector<work::Item> open;
  for (;;) {
    while (std::ssize(open) < workers) {
      auto item = source.next();
      if (!item)
        break;
      keys.push_back(item->key);
      open.push_back(*item);
    }
    if (open.empty())
      break;
    const auto which = static_cast<std::ptrdiff_t>(random.index(open.size()));
    const work::Item item = open[static_cast<std::size_t>(which)];
    open.erase(open.begin() + which);
    source.report(item, run(item));
  }
  EXPECT_TRUE(source.exhausted());
  return keys;
}

SearchOutcome outcome_of(const SearchOptions& options, int workers, std::uint64_t seed) {
  SearchSource source = source_for(options);
  simulate(source, workers, seed, train);
  return source.outcome();
}

TEST(SearchSourceTest, MakesTheSameProposalsWhateverTheOrderOfArrival) {
  for (const auto& [method, name] : names_of_method) {
    SearchOptions options{.method = method, .trials = 20, .concurrency = 4, .grid_points = 4};
    for (int i = 0; i < 20; ++i)
      options.replay_points.push_back({i / 19.0, 0.5});
    const SearchOutcome expected = outcome_of(options, 1, 0);
    EXPECT_EQ(std::ssize(expected.proposals), method == Method::grid ? 16 : 20);
    for (const int workers : {1, 2, 3, 4, 9})
      for (std::uint64_t seed = 0; seed < 3; ++seed)
        EXPECT_EQ(outcome_of(options, workers, seed), expected);
  }
}

TEST(SearchSourceTest, OpensAsManyTrialsAsTheStudySaysAndNoMore) {
  SearchSource source = source_for({.trials = 10, .concurrency = 3});
  std::deque<work::Item> open;
  while (auto item = source.next())
    open.push_back(*item);
  ASSERT_EQ(open.size(), 3U);
  EXPECT_FALSE(source.exhausted());
  // Trials 1 and 2 may end first: proposal 3 still waits for trial 0.
  source.report(open[1], train(open[1]));
  source.report(open[2], train(open[2]));
  EXPECT_FALSE(source.next().has_value());
  source.report(open[0], train(open[0]));
  int more = 0;
  while (source.next())
    ++more;
  EXPECT_EQ(more, 3);
}

TEST(SearchSourceTest, WithConcurrencyOneIsThePlainSequentialLoop) {
  const SearchOptions options{.trials = 15, .concurrency = 1};
  const SearchOutcome outcome = outcome_of(options, 4, 2);
  const SearchSpace space{options.space};
  const auto controller = make_controller(options, space, core::RandomKey(11));
  for (int k = 0; k < options.trials; ++k) {
    const Proposal& proposal = outcome.proposals[static_cast<std::size_t>(k)];
    const auto point = controller->propose(k);
    EXPECT_EQ(proposal.unit_point, point);
    EXPECT_EQ(proposal.hyper_parameters, at(space, {}, point));
    controller->report(k, dice_of(proposal.hyper_parameters));
  }
  EXPECT_EQ(outcome.policy_mean, at(space, {}, *controller->policy_mean()));
}

TEST(SearchSourceTest, TellsEachProposalAndTheControllersStateOnceWhateverTheOrderOfArrival) {
  for (const auto& [method, name] : names_of_method) {
    SearchOptions options{.method = method, .trials = 9, .concurrency = 3, .grid_points = 3};
    options.replay_points.assign(9, {0.25, 0.75});
    const auto told = [&](int workers, std::uint64_t seed) {
      SearchSource source = source_for(options);
      std::vector<std::pair<Proposal, std::string>> all;
      source.on_proposal([&](const Proposal& proposal, const std::string& state) {
        EXPECT_EQ(proposal.index, std::ssize(all));
        all.emplace_back(proposal, state);
      });
      simulate(source, workers, seed, train);
      return all;
    };
    const auto expected = told(1, 0);
    const SearchOutcome outcome = outcome_of(options, 1, 0);
    ASSERT_EQ(expected.size(), 9U);
    for (std::size_t k = 0; k < 9; ++k)
      EXPECT_EQ(expected[k].first.unit_point, outcome.proposals[k].unit_point);
    const auto other = told(5, 7);
    for (std::size_t k = 0; k < 9; ++k) {
      EXPECT_EQ(other[k].first.key, expected[k].first.key);
      EXPECT_EQ(other[k].second, expected[k].second);
    }
    if (method == Method::reinforcement || method == Method::bayesian) {
      EXPECT_NE(expected[7].second, expected[8].second);
    }
  }
}

TEST(SearchSourceTest, ExtendedKeepsItsFirstProposals) {
  const SearchOutcome shorter = outcome_of({.trials = 8}, 2, 0);
  const SearchOutcome longer = outcome_of({.trials = 16}, 2, 0);
  for (std::size_t k = 0; k < 8; ++k)
    EXPECT_EQ(shorter.proposals[k], longer.proposals[k]);
}

TEST(SearchSourceTest, RunsEqualTrialsOnceAndLearnsFromBoth) {
  SearchOptions options{.trials = 30, .concurrency = 4};
  options.space = {{.field = "optimizer", .choices = {"adam", "novograd"}}};
  const auto score = [](const work::Item& item) {
    TrialResult result;
    result.best_validation_dice = item.what.text("optimizer") == "novograd" ? 0.8 : 0.7;
    return trials::to_record(result);
  };
  SearchSource source = source_for(options);
  const auto keys = simulate(source, 3, 1, score);
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(std::set(keys.begin(), keys.end()).size(), 2U);
  const SearchOutcome outcome = source.outcome();
  ASSERT_EQ(outcome.proposals.size(), 30U);
  for (const Proposal& proposal : outcome.proposals) {
    EXPECT_TRUE(proposal.finished);
    EXPECT_EQ(proposal.reward,
              proposal.hyper_parameters.optimizer == trials::Optimizer::novograd ? 0.8 : 0.7);
  }
  const auto first = std::find_if(outcome.proposals.begin(),
                                  outcome.proposals.end(),
                                  [](const Proposal& p) { return p.reward == 0.8; });
  EXPECT_EQ(best(outcome)->index, first->index);
}

TEST(SearchSourceTest, GivesFailuresTheirFixedRewardAndNeverChoosesThem) {
  int trial = 0;
  const auto sometimes = [&](const work::Item& item) {
    TrialResult result;
    result.best_validation_dice = dice_of(trials::spec_from_record(item.what).hyper_parameters);
    if (trial % 3 == 0) {
      result.status = TrialStatus::diverged;
      result.best_validation_dice = 0.99;
    } else if (trial % 3 == 1) {
      result.best_validation_dice = std::numeric_limits<double>::quiet_NaN();
    }
    ++trial;
    return trials::to_record(result);
  };
  SearchSource source = source_for({.trials = 12, .concurrency = 1, .failed_reward = 0.1});
  simulate(source, 1, 0, sometimes);
  const SearchOutcome outcome = source.outcome();
  for (const Proposal& proposal : outcome.proposals) {
    EXPECT_EQ(proposal.scored, proposal.index % 3 == 2);
    if (!proposal.scored) {
      EXPECT_EQ(proposal.reward, 0.1);
    }
  }
  EXPECT_EQ(best(outcome)->index % 3, 2);
}

TEST(SearchSourceTest, WhereEveryTrialFailsThereIsNoBest) {
  SearchSource source = source_for({.trials = 12});
  simulate(source, 4, 0, [](const work::Item&) {
    TrialResult result;
    result.status = TrialStatus::failed;
    result.reason = "out of luck";
    return trials::to_record(result);
  });
  EXPECT_FALSE(best(source.outcome()).has_value());
  EXPECT_TRUE(std::isnan(std::get<core::Doubles>(
      source.trace_table("/search/a").column("best_reward").values)[11]));
}

TEST(SearchSourceTest, RefusesAResultThatItDidNotAskFor) {
  SearchSource source = source_for({});
  const work::Item foreign{.key = "foreign", .what = {}};
  EXPECT_THROW(source.report(foreign, trials::to_record(TrialResult{})), std::logic_error);
}

TEST(SearchSourceTest, TakesAResultTwiceAsOne) {
  SearchSource source = source_for({.trials = 3, .concurrency = 1});
  const work::Item item = *source.next();
  source.report(item, train(item));
  source.report(item, train(item));
  EXPECT_EQ(source.outcome().proposals.size(), 1U);
  EXPECT_TRUE(source.next().has_value());
  EXPECT_FALSE(source.next().has_value());
}

TEST(SearchOutcomeTest, ComesBackFromItsTextAndFillsATable) {
  SearchSource source = source_for({.trials = 6});
  simulate(source, 2, 5, train);
  const SearchOutcome outcome = source.outcome();
  EXPECT_EQ(outcome_from_text(to_text(outcome)), outcome);
  EXPECT_EQ(outcome_from_text(""), SearchOutcome{});
  EXPECT_THROW(outcome_from_text("nonsense"), core::DataError);
  const core::Table table = source.trace_table("/search/proxy");
  core::validate(table);
  EXPECT_EQ(table.path, "/search/proxy");
  EXPECT_EQ(table.rows(), 6U);
  const auto& so_far = std::get<core::Doubles>(table.column("best_reward").values);
  EXPECT_TRUE(std::is_sorted(so_far.begin(), so_far.end()));
  EXPECT_EQ(so_far[so_far.size() - 1], best(outcome)->reward);
  table.column("unit_shift_probability");
}

/// The search as the jobs run it, with a journal in a folder of its own.
class DistributedSearchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("proxytune_search_") +
               testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
               std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Runs, or goes on with, a search of `trials_to_do`; stops after `stop_after` pieces.
  SearchOutcome launch(int ranks, const std::string& name, int trials_to_do, int stop_after) {
    const auto journal_folder = folder_ / name;
    std::filesystem::create_directories(journal_folder);
    const std::string launch_id = std::to_string(launches_++);
    const auto past = work::read_journal(journal_folder, "study", core::Log::silent());
    SearchSource source = source_for({.trials = trials_to_do});
    std::atomic<bool> stop = false;
    std::atomic<int> done = 0;
    trained_ = 0;
    const auto work_once = [&](comm::Communicator& communicator) {
      work::Journal journal(journal_folder, "study", launch_id, communicator.rank());
      work::distribute(
          communicator,
          communicator.is_root() ? &source : nullptr,
          journal,
          past,
          [&](const work::Item& item) {
            ++trained_;
            if (++done == stop_after)
              stop = true;
            return train(item);
          },
          [](const work::Item&) { return trials::to_record(TrialResult{}); },
          {.stage = "search"},
          stop,
          [](const work::Progress&) {});
    };
    try {
      comm::run_as_threads(ranks, work_once);
    } catch (const core::Stopped&) {
      EXPECT_LE(stop_after, trials_to_do);
    }
    return source.outcome();
  }

  std::filesystem::path folder_;
  std::atomic<int> trained_ = 0;
  int launches_ = 0;
};

constexpr int never = 1000;

TEST_F(DistributedSearchTest, IsTheSameOnAnyNumberOfRanks) {
  const SearchOutcome expected = outcome_of({.trials = 14}, 1, 0);
  for (const int ranks : {1, 2, 3, 5})
    EXPECT_EQ(launch(ranks, "ranks" + std::to_string(ranks), 14, never), expected);
}

TEST_F(DistributedSearchTest, GoesOnFromTheJournalWithTheSameProposals) {
  const SearchOutcome expected = outcome_of({.trials = 14}, 1, 0);
  launch(2, "study", 14, 5);
  const int before = trained_;
  EXPECT_LT(before, 14);
  EXPECT_EQ(launch(3, "study", 14, never), expected);
  EXPECT_EQ(before + trained_, 14);
  EXPECT_EQ(launch(1, "study", 14, never), expected);
  EXPECT_EQ(trained_, 0);
}

TEST_F(DistributedSearchTest, ExtendedRunsOnlyTheNewTrials) {
  launch(2, "study", 6, never);
  EXPECT_EQ(launch(2, "study", 10, never), outcome_of({.trials = 10}, 1, 0));
  EXPECT_EQ(trained_, 4);
}

}  // namespace
}  // namespace proxytune::search
