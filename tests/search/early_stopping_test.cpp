#include "proxytune/search/early_stopping.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <span>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"
#include "proxytune/core/logging.h"
#include "proxytune/search/search_source.h"

namespace proxytune::search {
namespace {

constexpr int whole = 20;  // epochs

trials::TrialSpec spec_of(const trials::HyperParameters& hyper, const std::string& arm = "") {
  trials::TrialSpec spec;
  spec.hyper_parameters = hyper;
  spec.network = "levels: 5, " + arm;
  return spec;
}

/// Of a smooth surface; a training comes nearer to it with each epoch, and high rates diverge
/// in epoch 7.
trials::TrialResult trained(const trials::TrialSpec& spec) {
  const trials::HyperParameters& hyper = spec.hyper_parameters;
  const double rate = std::log10(hyper.learning_rate) + 3.3;
  const double end =
      0.85 - 0.2 * rate * rate - 0.1 * std::pow(hyper.shift_probability - 0.3, 2);
  const bool diverges = hyper.shift_probability > 0.8;
  trials::TrialResult result;
  result.best_validation_dice = 0;
  for (int epoch = 0; epoch < whole; ++epoch) {
    if (diverges && epoch == 6) {
      result.status = trials::TrialStatus::diverged;
      return result;
    }
    result.loss.push_back(1);
    result.validated.push_back(epoch);
    result.validation_dice.push_back(end * (1 - std::exp(-(epoch + 1) / 4.0)));
    result.best_validation_dice =
        std::max(result.best_validation_dice, result.validation_dice.back());
    if (epoch + 1 < whole &&
        trials::stop_epoch(spec.early_stop, result.validated, result.validation_dice)) {
      result.status = trials::TrialStatus::stopped_early;
      return result;
    }
  }
  return result;
}

work::Record train(const work::Item& item) {
  return trials::to_record(trained(trials::spec_from_record(item.what)));
}

std::vector<std::vector<double>> some_points() {
  std::vector<std::vector<double>> points;
  for (int i = 0; i < 24; ++i)
    points.push_back({std::fmod(0.37 * i, 1.0), std::fmod(0.61 * i, 1.0)});
  return points;
}

SearchOptions halving_of(Method method = Method::random, int trials = 24) {
  SearchOptions options{.method = method, .trials = trials, .concurrency = 5, .grid_points = 5};
  options.replay_points = some_points();
  options.halving = HalvingOptions{.rungs = {{.epochs = 5}, {.epochs = 10}}, .reduction = 2};
  return options;
}

SearchSource source_for(const SearchOptions& options) {
  return SearchSource(
      options, {}, core::RandomKey(11), [](const auto& hyper, const std::string& arm) {
        return spec_of(hyper, arm);
      });
}

struct Simulated {
  SearchOutcome outcome;
  std::vector<work::Item> items;     // in the order in which they were handed out
  std::vector<std::string> stopped;  // keys of trials that nobody goes on with
  std::vector<std::pair<std::string, std::string>> told;  // of proposals: trial, state
};

/// With `workers` pieces open at once, finished in an order drawn from `seed`.
Simulated simulate(const SearchOptions& options, int workers, std::uint64_t seed) {
  SearchSource source = source_for(options);
  Simulated run;
  source.on_stopped([&](const std::string& key) { run.stopped.push_back(key); });
  source.on_proposal([&](const Proposal& proposal, const std::string& state) {
    run.told.emplace_back(proposal.key, state);
  });
  core::Random random{core::RandomKey(seed)};
  std::vector<work::Item> open;
  for (;;) {
    while (std::ssize(open) < workers) {
      auto item = source.next();
      if (!item)
        break;
      run.items.push_back(*item);
      open.push_back(*item);
    }
    if (open.empty())
      break;
    const auto which = static_cast<std::ptrdiff_t>(random.index(open.size()));
    const work::Item item = open[static_cast<std::size_t>(which)];
    open.erase(open.begin() + which);
    EXPECT_FALSE(source.exhausted());
    source.report(item, train(item));
  }
  EXPECT_TRUE(source.exhausted());
  run.outcome = source.outcome();
  return run;
}

TEST(SearchWithHalvingTest, IsTheSameWhateverTheOrderOfArrival) {
  for (const auto& [method, name] : names_of_method) {
    const SearchOptions options = halving_of(method);
    const Simulated expected = simulate(options, 1, 0);
    EXPECT_EQ(expected.outcome.proposals.size(), 24U) << name;
    for (const int workers : {1, 2, 3, 8})
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const Simulated other = simulate(options, workers, seed);
        EXPECT_EQ(other.outcome, expected.outcome) << name;
        EXPECT_EQ(other.told, expected.told) << name;
      }
  }
}

TEST(SearchWithHalvingTest, TrainsTheBestOfEachBracketOnAndNoOther) {
  const Simulated run = simulate(halving_of(), 3, 1);
  // Of a bracket of four, all come to epoch 5, two to 10, one to 20.
  std::map<int, int> ended;
  for (const Proposal& proposal : run.outcome.proposals)
    ++ended[proposal.rung];
  EXPECT_EQ(ended, (std::map<int, int>{{0, 12}, {1, 6}, {2, 6}}));
  EXPECT_EQ(std::ssize(run.items), source_for(halving_of()).pieces());
  EXPECT_EQ(run.items.size(), 24U + 12 + 6);
  for (std::size_t first = 0; first < 24; first += 4) {
    const auto rewards_beyond = [&](int rung) {
      std::multiset<double> rewards;
      for (std::size_t i = first; i < first + 4; ++i)
        if (run.outcome.proposals[i].rung > rung)
          rewards.insert(trained(spec_of(run.outcome.proposals[i].hyper_parameters))
                             .validation_dice.at(static_cast<std::size_t>(5 * rung + 4)));
      return rewards;
    };
    for (std::size_t i = first; i < first + 4; ++i) {
      const Proposal& proposal = run.outcome.proposals[i];
      if (proposal.rung < 2) {
        EXPECT_LE(proposal.reward, *rewards_beyond(proposal.rung).begin());
      }
    }
  }
}

TEST(SearchWithHalvingTest, TellsTheControllerWhatAStoppedTrialWouldHaveComeTo) {
  const SearchOutcome outcome = simulate(halving_of(), 3, 2).outcome;
  const auto dice = [](const Proposal& proposal, int epochs) {
    return trained(spec_of(proposal.hyper_parameters))
        .validation_dice.at(static_cast<std::size_t>(epochs - 1));
  };
  int raised = 0;
  for (std::size_t first = 0; first < 24; first += 4) {
    const auto bracket = std::span(outcome.proposals).subspan(first, 4);
    const auto end = std::find_if(
        bracket.begin(), bracket.end(), [](const Proposal& one) { return one.rung == 2; });
    for (const Proposal& proposal : bracket) {
      if (proposal.rung == 2 || !proposal.scored) {
        EXPECT_EQ(proposal.told, proposal.reward);
      } else if (proposal.rung == 1) {
        const double gain = end->scored ? end->reward - dice(*end, 10) : 0;
        EXPECT_DOUBLE_EQ(proposal.told, proposal.reward + gain);
        raised += gain > 0;
      } else {
        EXPECT_GE(proposal.told, proposal.reward);
        raised += proposal.told > proposal.reward;
      }
    }
  }
  EXPECT_GT(raised, 12);
}

TEST(SearchWithHalvingTest, RewardsATrialWithItsBestDiceWhereItStoppedAndCountsItsEpochs) {
  const SearchOutcome outcome = simulate(halving_of(), 2, 3).outcome;
  const int epochs[] = {5, 10, whole};
  int sum = 0;
  for (const Proposal& proposal : outcome.proposals) {
    trials::TrialSpec spec = spec_of(proposal.hyper_parameters);
    spec.early_stop.after = proposal.rung < 2 ? epochs[proposal.rung] : 0;
    EXPECT_EQ(proposal.key, trials::trial_key(spec));
    const trials::TrialResult result = trained(spec);
    EXPECT_EQ(proposal.status, result.status);
    EXPECT_EQ(proposal.scored, trials::succeeded(result.status));
    EXPECT_EQ(proposal.reward, proposal.scored ? result.best_validation_dice : 0.0);
    EXPECT_EQ(proposal.epochs, std::ssize(result.loss));
    sum += proposal.epochs;
  }
  EXPECT_EQ(trained(outcome).epochs, sum);
  EXPECT_EQ(trained(outcome).trainings, 24);
  EXPECT_EQ(best(outcome)->rung, 2);
}

TEST(SearchWithHalvingTest, ChoosesAmongTrialsOfTheHighestRungThatHasAScore) {
  SearchOutcome outcome;
  outcome.proposals = {{.index = 0, .finished = true, .scored = true, .reward = 0.9, .rung = 0},
                       {.index = 1, .finished = true, .scored = true, .reward = 0.6, .rung = 1},
                       {.index = 2, .finished = true, .scored = true, .reward = 0.7, .rung = 1},
                       {.index = 3, .finished = true, .scored = false, .reward = 1, .rung = 2}};
  EXPECT_EQ(best(outcome)->index, 2);
}

TEST(SearchWithHalvingTest, HasAsItsBestSoFarTheOneThatItWouldChoose) {
  const SearchOutcome outcome = simulate(halving_of(), 2, 3).outcome;
  const core::Table table = trace_table(outcome, {"learning_rate"}, "/search/a");
  const auto& so_far = std::get<core::Doubles>(table.column("best_reward").values);
  SearchOutcome before;
  for (const Proposal& proposal : outcome.proposals) {
    before.proposals.push_back(proposal);
    const auto chosen = best(before);
    const std::size_t k = before.proposals.size() - 1;
    ASSERT_TRUE(chosen);
    EXPECT_EQ(so_far[k], chosen->reward);
  }
  // One that came further takes the place of one with a higher score.
  SearchOutcome made;
  made.proposals = {{.index = 0, .finished = true, .scored = true, .reward = 0.9, .rung = 0},
                    {.index = 1, .finished = true, .scored = true, .reward = 0.6, .rung = 1},
                    {.index = 2, .finished = true, .scored = true, .reward = 0.8, .rung = 0}};
  EXPECT_EQ(
      std::get<core::Doubles>(trace_table(made, {}, "/search/a").column("best_reward").values),
      (core::Doubles{0.9, 0.6, 0.6}));
}

TEST(SearchWithHalvingTest, SaysOfEachTrialOnceThatNobodyGoesOnWithIt) {
  const Simulated run = simulate(halving_of(), 4, 2);
  std::multiset<std::string> expected;
  for (const Proposal& proposal : run.outcome.proposals)
    expected.insert(trials::trial_key(spec_of(proposal.hyper_parameters)));
  EXPECT_EQ(std::multiset<std::string>(run.stopped.begin(), run.stopped.end()), expected);
}

TEST(SearchWithHalvingTest, RunsEqualTrialsOnceToEachRung) {
  SearchOptions options = halving_of();
  options.space = {{.field = "optimizer", .choices = {"adam", "novograd"}}};
  const Simulated run = simulate(options, 3, 1);
  std::set<std::string> keys;
  for (const work::Item& item : run.items)
    EXPECT_TRUE(keys.insert(item.key).second);
  EXPECT_LE(run.items.size(), 6U);
  EXPECT_EQ(trained(run.outcome).trainings, 2);
  // What is kept of a trial stays while any proposal may go on with it.
  EXPECT_EQ(simulate(options, 1, 0).outcome, run.outcome);
}

TEST(SearchWithHalvingTest, OpensNoTrialBeforeTheResultsThatItNeedsAreDecided) {
  SearchOptions options = halving_of();
  options.concurrency = 4;
  SearchSource source = source_for(options);
  std::deque<work::Item> open;
  while (auto item = source.next())
    open.push_back(*item);
  ASSERT_EQ(open.size(), 4U);
  for (const work::Item& item : open)
    source.report(item, train(item));
  // Two of the four are decided, which lets trials behind these two alone be proposed.
  open.clear();
  while (auto item = source.next())
    open.push_back(*item);
  EXPECT_FALSE(source.exhausted());
  int more = 0;
  for (const Proposal& proposal : source.outcome().proposals)
    more += proposal.finished ? 1 : 0;
  EXPECT_EQ(more, 2);
  EXPECT_GE(open.size(), 2U);
}

SearchOptions median_of(Method method = Method::random) {
  SearchOptions options{.method = method, .trials = 24, .concurrency = 3, .grid_points = 5};
  options.replay_points = some_points();
  options.median_stopping = MedianStoppingOptions{.from_epoch = 3, .earlier_trials = 4};
  return options;
}

/// Two rungs of an arm called small, then two of its own.
SearchOptions fidelities() {
  SearchOptions options{.method = Method::bayesian, .trials = 32, .concurrency = 20};
  options.halving = HalvingOptions{.rungs = {{.epochs = 4, .arm = "small"},
                                             {.epochs = 8, .arm = "small"},
                                             {.epochs = 5},
                                             {.epochs = 10}},
                                   .reduction = 2};
  return options;
}

TEST(SearchOverFidelitiesTest, TrainsAnewWhereTheArmChangesAndGoesOnWhereItDoesNot) {
  const Simulated run = simulate(fidelities(), 3, 1);
  SearchSource source = source_for(fidelities());
  std::map<std::string, int> stops;
  for (const work::Item& item : run.items) {
    const trials::TrialSpec spec = trials::spec_from_record(item.what);
    ++stops[spec.network + std::to_string(spec.early_stop.after)];
  }
  EXPECT_EQ(stops,
            (std::map<std::string, int>{{"levels: 5, small4", 32},
                                        {"levels: 5, small8", 16},
                                        {"levels: 5, 5", 8},
                                        {"levels: 5, 10", 4},
                                        {"levels: 5, 0", 2}}));
  int own = 0;
  for (const Proposal& proposal : run.outcome.proposals) {
    const std::vector<trials::TrialSpec> specs = source.specs_of(proposal);
    ASSERT_EQ(specs.size(), proposal.rung < 2 ? 1U : 2U);
    EXPECT_EQ(trials::trial_key(specs.back()), proposal.key);
    if (proposal.rung >= 2) {
      EXPECT_EQ(specs[0].network, "levels: 5, small");
      EXPECT_EQ(specs[0].early_stop.after, 8);
    }
    const int epochs[] = {4, 8, 8 + 5, 8 + 10, 8 + whole};
    if (proposal.scored) {
      EXPECT_EQ(proposal.epochs, epochs[proposal.rung]);
      EXPECT_EQ(proposal.other_epochs, std::min(proposal.epochs, 8));
      own += proposal.epochs - proposal.other_epochs;
    }
  }
  EXPECT_EQ(best(run.outcome)->rung, 4);
  EXPECT_EQ(trained(run.outcome).epochs, own);
  EXPECT_GE(trained(run.outcome).other_epochs, 32 * 4);
}

TEST(SearchOverFidelitiesTest, IsTheSameWhateverTheOrderOfArrival) {
  const Simulated expected = simulate(fidelities(), 1, 0);
  for (const int workers : {2, 3, 8})
    EXPECT_EQ(simulate(fidelities(), workers, 5).outcome, expected.outcome);
}

TEST(SearchOverFidelitiesTest, SaysOfEveryTrainingOnceThatNobodyGoesOnWithIt) {
  const Simulated run = simulate(fidelities(), 4, 2);
  std::multiset<std::string> expected;
  for (const Proposal& proposal : run.outcome.proposals) {
    expected.insert(trials::trial_key(spec_of(proposal.hyper_parameters, "small")));
    if (proposal.rung >= 2)
      expected.insert(trials::trial_key(spec_of(proposal.hyper_parameters)));
  }
  EXPECT_EQ(std::multiset<std::string>(run.stopped.begin(), run.stopped.end()), expected);
}

TEST(SearchWithMedianStoppingTest, IsTheSameWhateverTheOrderOfArrival) {
  for (const auto& [method, name] : names_of_method) {
    const Simulated expected = simulate(median_of(method), 1, 0);
    EXPECT_EQ(expected.items.size(), 24U) << name;
    for (const int workers : {2, 3, 8})
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const Simulated other = simulate(median_of(method), workers, seed);
        EXPECT_EQ(other.outcome, expected.outcome) << name;
        EXPECT_EQ(other.told, expected.told) << name;
      }
  }
}

TEST(SearchWithMedianStoppingTest, StopsATrialBelowTheMedianOfThoseItMayKnow) {
  const Simulated run = simulate(median_of(), 4, 3);
  MedianRule rule(*median_of().median_stopping);
  int stopped = 0;
  for (const Proposal& proposal : run.outcome.proposals) {
    trials::TrialSpec spec = spec_of(proposal.hyper_parameters);
    // Trials 0 to k - 3.
    spec.early_stop = rule.stop_after(proposal.index - 2);
    EXPECT_EQ(spec.early_stop, proposal.early_stop);
    EXPECT_EQ(proposal.early_stop.any(), proposal.index >= 6);
    EXPECT_EQ(proposal.key, trials::trial_key(spec));
    const trials::TrialResult result = trained(spec);
    rule.add(proposal.index, result.validated, result.validation_dice);
    EXPECT_EQ(proposal.status, result.status);
    EXPECT_EQ(proposal.epochs, std::ssize(result.loss));
    if (proposal.scored) {
      EXPECT_EQ(proposal.reward, result.best_validation_dice);
    }
    stopped += proposal.status == trials::TrialStatus::stopped_early ? 1 : 0;
  }
  EXPECT_GT(stopped, 6);
  EXPECT_LT(trained(run.outcome).epochs, 24 * whole * 3 / 4);
  EXPECT_EQ(run.stopped.size(), 24U);
}

TEST(SearchWithMedianStoppingTest, TakesATrialThatIsProposedAgainForTheOneThatRan) {
  SearchOptions options = median_of();
  options.space = {{.field = "optimizer", .choices = {"adam", "novograd", "rmsprop"}}};
  const Simulated run = simulate(options, 3, 1);
  EXPECT_LE(run.items.size(), 3U);
  EXPECT_EQ(simulate(options, 1, 0).outcome, run.outcome);
}

TEST(SearchOutcomeTest, WithStopsComesBackFromItsTextAndFillsATable) {
  for (const SearchOptions& options : {halving_of(), median_of()}) {
    const SearchOutcome outcome = simulate(options, 2, 5).outcome;
    EXPECT_EQ(outcome_from_text(to_text(outcome)), outcome);
    const core::Table table = trace_table(outcome, {"learning_rate"}, "/search/a");
    core::validate(table);
    const auto& epochs = std::get<std::vector<std::int64_t>>(table.column("epochs").values);
    const auto& rungs = std::get<std::vector<std::int64_t>>(table.column("rung").values);
    for (std::size_t k = 0; k < 24; ++k) {
      EXPECT_EQ(epochs[k], outcome.proposals[k].epochs);
      EXPECT_EQ(rungs[k], outcome.proposals[k].rung);
    }
  }
}

TEST(MedianStoppingOptionsTest, AreRefusedWhereTheyCouldStopNothingOrStandBesideHalving) {
  const auto refused = [](auto change) -> std::string {
    SearchOptions options = median_of();
    change(options);
    try {
      validate(options);
    } catch (const core::FieldError& error) {
      return error.field();
    }
    return "nothing";
  };
  EXPECT_EQ(refused([](auto&) {}), "nothing");
  EXPECT_EQ(refused([](auto& o) { o.trials = 7; }), "nothing");
  EXPECT_EQ(refused([](auto& o) { o.trials = 6; }), "median_stopping.earlier_trials");
  EXPECT_EQ(refused([](auto& o) { o.halving = HalvingOptions{.rungs = {{.epochs = 1}}}; }),
            "median_stopping");
}

TEST(HalvingOptionsTest, RefuseWhatCannotWorkByName) {
  const auto refused = [](auto change) -> std::string {
    SearchOptions options = halving_of();
    change(options);
    try {
      validate(*options.halving);
      validate(options);
    } catch (const core::FieldError& error) {
      return error.field() + " " + error.sentence();
    }
    return "nothing";
  };
  EXPECT_EQ(refused([](auto&) {}), "nothing");
  EXPECT_EQ(refused([](auto& o) { o.concurrency = 4; }), "nothing");
  EXPECT_EQ(refused([](auto& o) { o.concurrency = 3; }),
            "concurrency is 3, but a bracket of halving has 4 trials, which are all to be open "
            "before the first of them is decided. Use 4 or more, or fewer rungs.");
  EXPECT_EQ(refused([](auto& o) { o.halving->reduction = 1; }),
            "reduction is 1, but where all trials go on nothing is saved. Use 2 or more.");
  EXPECT_EQ(refused([](auto& o) { o.halving->rungs = {}; }),
            "rungs is missing. Say after how many epochs trials are compared, as [{epochs: 5}, "
            "{epochs: 10}].");
  EXPECT_EQ(refused([](auto& o) { o.halving->rungs[0].epochs = 0; }),
            "rungs.0.epochs is 0, but a trial is compared after some epochs. Use 1 or more.");
  EXPECT_EQ(refused([](auto& o) { o.halving->rungs[1].epochs = 5; }),
            "rungs.1.epochs is 5, but rungs rise. Use 6 or more.");
  EXPECT_EQ(refused([](auto& o) { o.halving->rungs[0].arm = "small"; }), "nothing");
  EXPECT_EQ(refused([](auto& o) {
              o.halving->rungs.clear();
              for (int epochs = 1; epochs < 40; ++epochs)
                o.halving->rungs.push_back({epochs});
            }).substr(0, 12),
            "trials is 24");
  EXPECT_EQ(refused([](auto& o) { o.trials = 3; }),
            "trials is 3, but a bracket of halving has 4 trials, so that none would be sorted "
            "out as it says. Use 4 or more, or fewer rungs.");
  EXPECT_EQ(refused([](auto& o) {
              o.halving->rungs = {{.epochs = 5, .arm = "small"}, {.epochs = 5, .arm = "large"}};
            }),
            "nothing");
  const std::string order =
      ", but trials go from arm to arm and come to their own, the empty name, in the end. Give "
      "each arm's rungs one after the other, those without an arm last.";
  EXPECT_EQ(refused([](auto& o) { o.halving->rungs[1].arm = "small"; }),
            "rungs.1.arm is \"small\" after \"\"" + order);
  EXPECT_EQ(refused([](auto& o) {
              o.halving->rungs = {{.epochs = 1, .arm = "a"},
                                  {.epochs = 2, .arm = "b"},
                                  {.epochs = 3, .arm = "a"}};
            }),
            "rungs.2.arm is \"a\" after \"b\"" + order);
  EXPECT_EQ(refused([](auto& o) {
              o.method = Method::replay;
              o.replay.emplace();
              o.warm_start.emplace();
            }),
            "warm_start and replay exclude each other: a list is proposed exactly and in its "
            "order. Put the earlier points into the list.");
}

/// The search as the jobs run it, on ranks, with a journal in a folder of its own.
class DistributedHalvingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("proxytune_halving_") +
               testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
               std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Runs, or goes on with, the search on `ranks`; stops after `stop_after` pieces.
  SearchOutcome launch(int ranks, const SearchOptions& options, int stop_after) {
    const std::string launch_id = std::to_string(launches_++);
    const auto past = work::read_journal(folder_, "study", core::Log::silent());
    SearchSource source = source_for(options);
    std::atomic<bool> stop = false;
    std::atomic<int> done = 0;
    try {
      comm::run_as_threads(ranks, [&](comm::Communicator& communicator) {
        work::Journal journal(folder_, "study", launch_id, communicator.rank());
        work::distribute(
            communicator,
            communicator.is_root() ? &source : nullptr,
            journal,
            past,
            [&](const work::Item& item) {
              ++did_;
              if (++done == stop_after)
                stop = true;
              return train(item);
            },
            [](const work::Item&) { return trials::to_record(trials::TrialResult{}); },
            {.stage = "search"},
            stop,
            [](const work::Progress&) {});
      });
    } catch (const core::Stopped&) {
    }
    return source.outcome();
  }

  std::filesystem::path folder_;
  std::atomic<int> did_ = 0;
  int launches_ = 0;
};

TEST_F(DistributedHalvingTest, StoppedAndGoneOnWithOnOtherRanksItTrainsNothingTwice) {
  const SearchOptions options = halving_of(Method::bayesian);
  const SearchOutcome expected = simulate(options, 1, 0).outcome;
  const int pieces = source_for(options).pieces();
  for (int launch_number = 0; launch_number < 6; ++launch_number)
    launch(1 + launch_number % 3, options, 5);
  EXPECT_LT(did_, pieces);
  EXPECT_EQ(launch(5, options, 1000), expected);
  EXPECT_EQ(did_, pieces);
}

}  // namespace
}  // namespace proxytune::search
