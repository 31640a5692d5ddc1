#include "proxytune/work/distribute.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/work/distribute_support.h"

namespace proxytune::work {
namespace {

using Results = std::map<std::string, Record>;

/// Every rank's results are equal: those of rank 0.
Results run_list(int ranks, const Launch& launch, const std::vector<Item>& items) {
  std::vector<Results> results(static_cast<std::size_t>(ranks));
  comm::run_as_threads(ranks, [&](comm::Communicator& communicator) {
    ListSource source(items);
    results[static_cast<std::size_t>(communicator.rank())] =
        launch.run(communicator, communicator.is_root() ? &source : nullptr);
  });
  for (const Results& each : results)
    EXPECT_EQ(each, results.front());
  return results.front();
}

/// What every rank threw; "" for a rank that did not.
std::vector<std::string> errors_of(int ranks, const Launch& launch, Source& source) {
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  comm::run_as_threads(ranks, [&](comm::Communicator& communicator) {
    try {
      launch.run(communicator, communicator.is_root() ? &source : nullptr);
    } catch (const core::Error& error) {
      errors[static_cast<std::size_t>(communicator.rank())] =
          std::to_string(static_cast<int>(error.code())) + " " + error.what();
    }
  });
  return errors;
}

/// Which pieces were done, and how often.
class Counted {
 public:
  Worker worker() {
    return [this](const Item& item) {
      {
        const std::scoped_lock lock(mutex_);
        ++times_[item.key];
      }
      return square(item);
    };
  }
  std::size_t pieces() const { return times_.size(); }
  bool none_twice() const {
    for (const auto& [key, times] : times_)
      if (times != 1)
        return false;
    return true;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> times_;
};

JournalContents contents_of(const TestFolder& folder) {
  return read_journal(folder.path(), "study", core::Log::silent());
}

/// On some ranks, each of which does one or several pieces at once.
class DistributeTest : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  int ranks() const { return std::get<0>(GetParam()); }
  int at_once() const { return std::get<1>(GetParam()); }
  int places() const { return ranks() * at_once(); }
  Launch launch_in(const std::filesystem::path& path, Worker worker = square) const {
    Launch launch{.folder = path, .worker = std::move(worker)};
    launch.options.at_once = at_once();
    return launch;
  }
  TestFolder folder;
};
INSTANTIATE_TEST_SUITE_P(Ranks,
                         DistributeTest,
                         testing::Combine(testing::Values(1, 2, 3, 4, 7),
                                          testing::Values(1, 2)),
                         [](const auto& parameters) {
                           return std::to_string(std::get<0>(parameters.param)) + "x" +
                                  std::to_string(std::get<1>(parameters.param));
                         });

TEST_P(DistributeTest, GivesTheSameResultsOnAnyNumberOfRanks) {
  for (const int count : {0, 1, 2, 40}) {
    Counted counted;
    const TestFolder own;
    const Results results =
        run_list(ranks(), launch_in(own.path(), counted.worker()), squares(count));
    ASSERT_EQ(results.size(), static_cast<std::size_t>(count));
    for (const Item& item : squares(count))
      EXPECT_EQ(results.at(item.key), square(item));
    EXPECT_EQ(counted.pieces(), static_cast<std::size_t>(count));
    EXPECT_TRUE(counted.none_twice());
    EXPECT_EQ(contents_of(own).finished, [&] {
      Results with_stage;
      for (const auto& [key, result] : results)
        with_stage["sweep/" + key] = result;
      return with_stage;
    }());
  }
}

TEST_P(DistributeTest, FollowsASourceWhosePiecesDependOnResults) {
  const auto search = [](int on_ranks, const Launch& launch) {
    Results results;
    comm::run_as_threads(on_ranks, [&](comm::Communicator& communicator) {
      GenerationsSource source(5);
      const Results mine = launch.run(communicator, communicator.is_root() ? &source : nullptr);
      if (communicator.is_root())
        results = mine;
    });
    return results;
  };
  const TestFolder other;
  const Results results = search(ranks(), launch_in(folder.path()));
  EXPECT_EQ(results.size(), 15U);
  EXPECT_EQ(results, search(1, {.folder = other.path()}));
}

TEST_P(DistributeTest, ResumesWithoutDoingAFinishedPieceTwice) {
  Counted counted;
  std::atomic<int> left = 11;
  Launch launch = launch_in(folder.path());
  launch.worker = [&, worker = counted.worker()](const Item& item) {
    if (--left < 0)
      throw core::SystemError("the power is gone");
    return worker(item);
  };
  EXPECT_THROW(run_list(ranks(), launch, squares(40)), core::SystemError);
  EXPECT_EQ(contents_of(folder).finished.size(), 11U);

  std::size_t from_journal = 0;
  launch.id = "launch1";
  launch.worker = counted.worker();
  launch.progress = [&](const Progress& progress) {
    if (progress.rank == -1)
      ++from_journal;
  };
  const Results results = run_list(ranks(), launch, squares(40));
  EXPECT_EQ(from_journal, 11U);
  EXPECT_EQ(counted.pieces(), 40U);
  EXPECT_TRUE(counted.none_twice());
  const TestFolder fresh;
  EXPECT_EQ(results, run_list(ranks(), launch_in(fresh.path()), squares(40)));
}

TEST_P(DistributeTest, AnErrorOnOneRankEndsTheWorkOnAll) {
  Launch launch = launch_in(folder.path());
  launch.worker = [](const Item& item) -> Record {
    if (item.key == "6")
      throw core::DataError("case 6 is broken");
    return square(item);
  };
  ListSource source(squares(40));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_EQ(error, "3 case 6 is broken");
  const JournalContents contents = contents_of(folder);
  EXPECT_LT(contents.finished.size(), 40U);
  EXPECT_TRUE(contents.attempts.empty());  // it ended, with an error
}

TEST_P(DistributeTest, AStopOnOneRankStopsAll) {
  Launch launch = launch_in(folder.path());
  launch.stops = [&](int rank) { return rank == ranks() - 1; };
  launch.worker = [](const Item& item) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return square(item);
  };
  ListSource source(squares(10000));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_THAT(error, testing::StartsWith("85 stopped early in stage sweep with "));
  EXPECT_LT(contents_of(folder).finished.size(), 10000U);
}

using Stoppable = std::function<Record(const Item&, std::atomic<bool>&)>;

/// The first piece does `first` once so many have begun; the others end by a stop only.
Stoppable endless_but_the_first(int pieces,
                                const std::function<void(std::atomic<bool>&)>& first) {
  return [first, pieces, busy = std::make_shared<std::atomic<int>>(0)](
             const Item& item, std::atomic<bool>& stop) -> Record {
    ++*busy;
    while (*busy < pieces)
      std::this_thread::yield();
    if (item.key == "0")
      first(stop);
    while (!stop)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    throw core::Stopped("asked to");
  };
}

TEST_P(DistributeTest, AStopReachesTheOtherRanksWithinTheirPieces) {
  const Stoppable stops[] = {
      endless_but_the_first(places(), [](std::atomic<bool>& stop) { stop = true; }),
      endless_but_the_first(places(), [](std::atomic<bool>&) { throw core::Stopped("time"); })};
  for (const Stoppable& stop : stops) {
    Launch launch = launch_in(folder.path());
    launch.id = &stop == stops ? "flag" : "thrown";
    launch.stoppable = stop;
    ListSource source(squares(places()));
    for (const std::string& error : errors_of(ranks(), launch, source))
      EXPECT_THAT(error, testing::StartsWith("85 "));
    EXPECT_TRUE(contents_of(folder).finished.empty());
    EXPECT_TRUE(contents_of(folder).attempts.empty());
  }
}

TEST_P(DistributeTest, AnErrorReachesTheOtherRanksWithinTheirPieces) {
  Launch launch = launch_in(folder.path());
  launch.stoppable = endless_but_the_first(
      places(), [](std::atomic<bool>&) { throw core::DataError("case 0 is broken"); });
  ListSource source(squares(places()));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_EQ(error, "3 case 0 is broken");
}

TEST_P(DistributeTest, AWorkerThatIsStoppedLeavesItsPieceToDo) {
  Launch launch = launch_in(folder.path());
  launch.worker = [](const Item& item) -> Record {
    if (item.key == "3")
      throw core::Stopped("time is up");
    return square(item);
  };
  ListSource source(squares(20));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_THAT(error, testing::StartsWith("85 "));
  EXPECT_FALSE(contents_of(folder).finished.contains("sweep/3"));
  EXPECT_TRUE(contents_of(folder).attempts.empty());
  launch.worker = square;
  launch.id = "launch1";
  EXPECT_EQ(run_list(ranks(), launch, squares(20)).size(), 20U);
}

TEST_P(DistributeTest, SetsAsideAPieceWhoseStartsNeverEnded) {
  for (int launch = 0; launch < 3; ++launch)
    Journal(folder.path(), "study", "dead" + std::to_string(launch), 0)
        .append({"started", "sweep", "5", {}});
  Launch launch = launch_in(folder.path());
  launch.options.max_attempts = 4;
  EXPECT_FALSE(run_list(ranks(), launch, squares(9)).at("5").has("lost"));

  const TestFolder other;
  for (int dead = 0; dead < 3; ++dead)
    Journal(other.path(), "study", "dead" + std::to_string(dead), 0)
        .append({"started", "sweep", "5", {}});
  Counted counted;
  const Launch setting_aside = launch_in(other.path(), counted.worker());
  const Results results = run_list(ranks(), setting_aside, squares(9));
  EXPECT_TRUE(results.at("5").boolean("lost"));
  EXPECT_EQ(counted.pieces(), 8U);
  // Not in the journal: a launch that allows more attempts tries it again.
  EXPECT_FALSE(contents_of(other).finished.contains("sweep/5"));
}

TEST_P(DistributeTest, DoesAPieceOnceMoreAfterAllOthers) {
  std::mutex mutex;
  std::vector<std::string> order;
  Launch launch = launch_in(folder.path());
  launch.worker = [&](const Item& item) {
    const std::scoped_lock lock(mutex);
    order.push_back(item.key);
    return square(item).set("attempt", std::int64_t{item.attempt});
  };
  // The first attempts of pieces 1 and 3, and the second of piece 3, are not to count.
  launch.options.again = [](const Record& result, int attempt) {
    const double x = std::sqrt(result.number("square"));
    return attempt < (x == 3 ? 2 : x == 1 ? 1 : 0) ? Again::yes : Again::no;
  };
  const Results results = run_list(ranks(), launch, squares(8));
  ASSERT_EQ(results.size(), 8U);
  for (const auto& [key, result] : results)
    EXPECT_EQ(result.integer("attempt"), key == "3" ? 2 : key == "1" ? 1 : 0);
  EXPECT_EQ(order.size(), 11U);
  // Everything has been given out before anything is done again.
  const std::set<std::string> first(order.begin(), order.begin() + 8);
  if (places() == 1) {
    EXPECT_EQ(first.size(), 8U);
  }
  const JournalContents journal = read_journal(folder.path(), "study", core::Log::silent());
  EXPECT_EQ(journal.retried, (std::map<std::string, int>{{"sweep/1", 1}, {"sweep/3", 2}}));
  EXPECT_TRUE(journal.attempts.empty());
}

TEST_P(DistributeTest, CountsTheAttemptsOfEarlierLaunches) {
  {
    Journal journal(folder.path(), "study", "launch0", 0);
    for (int i = 0; i < 2; ++i) {
      journal.append({"started", "sweep", "4", {}});
      journal.append({"again", "sweep", "4", {}});
    }
  }
  std::atomic<int> asked = -1;
  Launch launch = launch_in(folder.path());
  launch.id = "launch1";
  launch.options.again = [&](const Record& result, int attempt) {
    if (result.number("square") == 16)
      asked = attempt;
    return Again::no;
  };
  run_list(ranks(), launch, squares(6));
  EXPECT_EQ(asked, 2);
}

TEST_P(DistributeTest, APieceThatWantsFewerBesideItGetsThem) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Launch launch = launch_in(folder.path());
  launch.worker = [&](const Item& item) {
    const int now = ++running;
    if (item.attempt > 0) {
      most = std::max(most.load(), now);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    --running;
    return square(item);
  };
  launch.options.again = [](const Record&, int attempt) {
    return attempt == 0 ? Again::with_fewer : Again::no;
  };
  EXPECT_EQ(run_list(ranks(), launch, squares(20)).size(), 20U);
  EXPECT_GE(most, 1);
  EXPECT_LE(most, std::max(1, places() / 2));
}

/// Does nothing more until so many have come; false if they do not within a minute.
class Meeting {
 public:
  explicit Meeting(int expected) : left_(expected) {}
  bool wait() {
    std::unique_lock lock(mutex_);
    --left_;
    all_here_.notify_all();
    return all_here_.wait_for(lock, std::chrono::minutes(1), [&] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  int left_;
};

TEST_P(DistributeTest, EveryRankDoesSoManyPiecesAtOnce) {
  Meeting meeting(places());
  std::map<int, int> pieces;  // by rank
  Launch launch = launch_in(folder.path(), [&](const Item& item) {
    EXPECT_TRUE(meeting.wait());
    return square(item);
  });
  launch.progress = [&](const Progress& progress) { ++pieces[progress.rank]; };
  run_list(ranks(), launch, squares(places()));
  EXPECT_EQ(pieces.size(), static_cast<std::size_t>(ranks()));
  for (const auto& [rank, count] : pieces)
    EXPECT_EQ(count, at_once()) << rank;
}

TEST_P(DistributeTest, FewPiecesAreSpreadOverAllRanks) {
  Meeting meeting(ranks());
  std::set<int> doers;
  Launch launch = launch_in(folder.path(), [&](const Item& item) {
    EXPECT_TRUE(meeting.wait());
    return square(item);
  });
  launch.progress = [&](const Progress& progress) { doers.insert(progress.rank); };
  run_list(ranks(), launch, squares(ranks()));
  EXPECT_EQ(doers.size(), static_cast<std::size_t>(ranks()));
}

TEST_P(DistributeTest, APieceAtItsLastChanceIsAloneAndAfterAllOthers) {
  // Either may have killed the process in which both ran, twice.
  for (const std::string dead : {"dead0", "dead1"}) {
    Journal journal(folder.path(), "study", dead, 0);
    for (const char* key : {"3", "5"})
      journal.append({"started", "sweep", key, {}});
  }
  std::mutex mutex;
  std::vector<std::string> order;
  std::multiset<std::string> running;
  const Launch launch = launch_in(folder.path(), [&](const Item& item) {
    {
      const std::scoped_lock lock(mutex);
      order.push_back(item.key);
      running.insert(item.key);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::scoped_lock lock(mutex);
    if (item.key == "3" || item.key == "5") {
      EXPECT_EQ(running.size(), 1U) << item.key;
    }
    running.erase(item.key);
    return square(item);
  });
  // One of the two is asked for once more, and is not done once more.
  struct Repeating : ListSource {
    using ListSource::ListSource;
    bool repeated = false;
    int reports = 0;
    std::optional<Item> next() override {
      if (auto item = ListSource::next())
        return item;
      return std::exchange(repeated, true) ? std::nullopt : std::optional(squares(12)[5]);
    }
    bool exhausted() const override { return repeated; }
    void report(const Item& item, const Record&) override { reports += item.key == "5"; }
  };
  Repeating source(squares(12));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_EQ(error, "");
  EXPECT_EQ(source.reports, 2);
  ASSERT_EQ(order.size(), 12U);
  EXPECT_EQ(std::set(order.end() - 2, order.end()), (std::set<std::string>{"3", "5"}));
}

TEST_P(DistributeTest, EndsWithTheErrorOfTheSourceOrOfProgress) {
  struct Broken : Source {
    int given = 0;
    std::optional<Item> next() override {
      if (given == 3)
        throw core::ConfigurationError("no more ideas");
      return squares(4)[static_cast<std::size_t>(given++)];
    }
    bool exhausted() const override { return false; }
    void report(const Item&, const Record&) override {}
  };
  Launch launch = launch_in(folder.path());
  Broken broken;
  for (const std::string& error : errors_of(ranks(), launch, broken))
    EXPECT_EQ(error, "2 no more ideas");
  launch.id = "launch1";
  launch.progress = [](const Progress&) { throw core::SystemError("no terminal"); };
  ListSource source(squares(4));
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_EQ(error, "4 no terminal");
}

TEST_P(DistributeTest, ASourceThatWaitsForNothingIsAnErrorAndNoDeadlock) {
  struct Stuck : ListSource {
    using ListSource::ListSource;
    bool exhausted() const override { return false; }
  };
  Stuck stuck(squares(5));
  for (const std::string& error : errors_of(ranks(), launch_in(folder.path()), stuck))
    EXPECT_THAT(error, testing::StartsWith("1 the source of stage sweep gives no piece"));
}

TEST_P(DistributeTest, DoesAKeyGivenTwiceOnceAndReportsItTwice) {
  struct Repeating : Source {
    int given = 0;
    std::map<std::string, int> reports;
    std::optional<Item> next() override {
      if (exhausted())
        return std::nullopt;
      return squares(3)[static_cast<std::size_t>(given++ % 3)];
    }
    bool exhausted() const override { return given == 9; }
    void report(const Item& item, const Record&) override { ++reports[item.key]; }
  };
  Counted counted;
  const Launch launch = launch_in(folder.path(), counted.worker());
  Repeating source;
  for (const std::string& error : errors_of(ranks(), launch, source))
    EXPECT_EQ(error, "");
  EXPECT_EQ(source.reports, (std::map<std::string, int>{{"0", 3}, {"1", 3}, {"2", 3}}));
  EXPECT_TRUE(counted.none_twice());
}

TEST_P(DistributeTest, RefusesAPieceThatCannotTravel) {
  ListSource source({{"a", Record().set("x", std::string("\xff")), 0}});
  for (const std::string& error : errors_of(ranks(), launch_in(folder.path()), source))
    EXPECT_THAT(error, testing::StartsWith("3 a text is not UTF-8"));
}

TEST_P(DistributeTest, TellsProgress) {
  std::vector<std::size_t> done;
  std::set<int> doers;
  Launch launch = launch_in(folder.path());
  launch.progress = [&](const Progress& progress) {
    done.push_back(progress.done);
    doers.insert(progress.rank);
    EXPECT_EQ(*progress.result, square(*progress.item));
    EXPECT_LE(progress.done, progress.handed_out);
  };
  launch.worker = [](const Item& item) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return square(item);
  };
  run_list(ranks(), launch, squares(16));
  ASSERT_EQ(done.size(), 16U);
  for (std::size_t i = 0; i < done.size(); ++i)
    EXPECT_EQ(done[i], i + 1);
  EXPECT_GE(*doers.begin(), 0);
  EXPECT_EQ(doers.size() > 1, ranks() > 1);
}

TEST_P(DistributeTest, NeedsASourceOnRankZero) {
  comm::run_as_threads(ranks(), [&](comm::Communicator& communicator) {
    EXPECT_THROW(launch_in(folder.path()).run(communicator, nullptr), core::Error);
  });
}

TEST(ListSourceTest, GivesTheLongestFirstAndEachKeyOnce) {
  ListSource source({{"a", {}, 1}, {"b", {}, 3}, {"c", {}, 1}, {"b", {}, 9}, {"d", {}, 2}});
  std::string order;
  while (const auto item = source.next())
    order += item->key;
  EXPECT_EQ(order, "bdac");
  EXPECT_TRUE(source.exhausted());
}

TEST(ListSourceTest, PutsTheRestInOrderAnewAsResultsTellMore) {
  std::map<std::string, double> rate{{"slow", 1}, {"fast", 1}};
  const auto estimate = [&](const Item& item) {
    return rate.at(item.what.text("kind")) * item.what.number("units");
  };
  std::vector<Item> items;
  for (const double units : {1, 2, 3, 4, 5, 6})
    for (const std::string kind : {"slow", "fast"})
      items.push_back({kind + std::to_string(static_cast<int>(units)),
                       Record().set("kind", kind).set("units", units),
                       0});
  ListSource source(items, estimate);
  EXPECT_EQ(source.next()->key, "slow6");
  EXPECT_EQ(source.next()->key, "fast6");
  rate["slow"] = 10;
  source.report(items[10], {});
  std::string order;
  while (const auto item = source.next())
    order += item->key + " ";
  EXPECT_EQ(order, "slow5 slow4 slow3 slow2 slow1 fast5 fast4 fast3 fast2 fast1 ");
}

}  // namespace
}  // namespace proxytune::work
