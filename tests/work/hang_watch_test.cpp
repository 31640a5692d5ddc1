#include "proxytune/work/hang_watch.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxytune::work {
namespace {

using testing::HasSubstr;
using testing::Not;

Sign at_work(double still) {
  return {.at = {.host = "node-1", .doing = "sweep, 0123abcd", .waits_for = ""},
          .still = still};
}
Sign waiting(double still, const std::string& operation = "an all-gather") {
  return {.at = {.host = "node-2", .doing = "sweep", .waits_for = operation}, .still = still};
}

TEST(HangReportTest, NobodyIsBlamedWhileSomebodyComesFurther) {
  EXPECT_EQ(hang_report({at_work(9), waiting(1000)}, 10), "");
  EXPECT_EQ(hang_report({waiting(1000), waiting(9)}, 10), "");
}

TEST(HangReportTest, WhoIsAtWorkAndComesNoFurtherIsNamedFirst) {
  const std::string report = hang_report({waiting(8), at_work(11), at_work(1)}, 10);
  EXPECT_THAT(report,
              HasSubstr("a rank hangs: nothing has come from it for 10 s\n"
                        "  rank 1 on node-1: HANGS, came no further for 11 s; at sweep, "
                        "0123abcd\n"
                        "  rank 0 on node-2: waits in an all-gather for 8 s; at sweep\n"
                        "  rank 2 on node-1: at work, came no further for 1 s"));
}

TEST(HangReportTest, ARankThatWaitsIsToBlameOnceItGivesNoSignOfLife) {
  Sign silent = waiting(2);
  silent.silent = 12;
  const std::string report = hang_report({at_work(1), silent}, 10);
  EXPECT_THAT(report,
              HasSubstr("rank 1 on node-2: HANGS, no sign of life for 12 s; last at sweep"));
}

TEST(HangReportTest, RanksThatWaitForEachOtherAreAllListed) {
  const std::string report =
      hang_report({waiting(11, "a broadcast"), waiting(12, "a barrier")}, 10);
  EXPECT_THAT(report, HasSubstr("all ranks wait for each other"));
  EXPECT_THAT(report, HasSubstr("rank 0 on node-2: waits in a broadcast for 11 s"));
  EXPECT_THAT(report, HasSubstr("rank 1 on node-2: waits in a barrier for 12 s"));
  EXPECT_THAT(report, Not(HasSubstr("HANGS")));
}

TEST(HangReportTest, OfThousandsThatWaitSomeAreListedAndTheOthersCounted) {
  std::vector<Sign> ranks(4000, waiting(100));
  ranks[3999] = at_work(100);
  const std::string report = hang_report(ranks, 10);
  EXPECT_THAT(report, HasSubstr("rank 3999 on node-1: HANGS"));
  EXPECT_THAT(report, HasSubstr("and 3967 more"));
  EXPECT_LT(report.size(), 4000U);
}

/// Ranks as threads, which come further as often as `steps` says: rank `stuck` never does.
struct Watched {
  explicit Watched(int stuck_rank) : stuck(stuck_rank) {}

  Whereabouts where(int rank) {
    Whereabouts at{
        .host = "here", .doing = "sweep, piece " + std::to_string(rank), .waits_for = ""};
    at.steps["a"] = ++steps;
    at.steps["b"] = rank == stuck ? 0 : ++steps;
    return at;
  }

  int stuck;
  std::atomic<std::uint64_t> steps = 0;
  std::atomic<int> reports = 0;
  std::mutex mutex;
  std::string report;
};

TEST(HangWatchTest, ReportsOnceWhoHangsInOneOfItsPieces) {
  for (const int ranks : {1, 2, 5}) {
    Watched watched(ranks - 1);
    comm::run_as_threads(ranks, [&](comm::Communicator& group) {
      const HangWatch watch(
          group,
          0.3,
          [&] { return watched.where(group.rank()); },
          [&](const std::string& report) {
            const std::scoped_lock lock(watched.mutex);
            watched.report = report;
            ++watched.reports;
          });
      while (watched.reports == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    });
    EXPECT_EQ(watched.reports, 1);
    const std::string line = "rank " + std::to_string(ranks - 1) + " on here: HANGS";
    EXPECT_THAT(watched.report, HasSubstr(line));
    EXPECT_THAT(watched.report, HasSubstr("at sweep, piece " + std::to_string(ranks - 1)));
  }
}

TEST(HangWatchTest, SaysNothingOfRanksThatComeFurther) {
  Watched watched(-1);
  comm::run_as_threads(3, [&](comm::Communicator& group) {
    const HangWatch watch(
        group,
        0.3,
        [&] { return watched.where(group.rank()); },
        [&](const std::string&) { ++watched.reports; });
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
  });
  EXPECT_EQ(watched.reports, 0);
}

TEST(HangWatchTest, TheOthersReportARootThatGivesNoSign) {
  Watched watched(-1);
  std::atomic<bool> over = false;
  comm::run_as_threads(2, [&](comm::Communicator& group) {
    const bool root = group.is_root();
    const HangWatch watch(
        group,
        0.3,
        [&] {
          // As if the whole process were halted.
          while (root && !over)
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          return watched.where(group.rank());
        },
        [&](const std::string& report) {
          const std::scoped_lock lock(watched.mutex);
          watched.report = report;
          ++watched.reports;
          over = true;
        });
    while (!over)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  EXPECT_EQ(watched.reports, 1);
  EXPECT_THAT(watched.report, HasSubstr("rank 0 has given no sign of life"));
  EXPECT_THAT(watched.report, HasSubstr("rank 1 on here is at sweep, piece 1"));
}

}  // namespace
}  // namespace proxytune::work
