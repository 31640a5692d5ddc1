#include "src/work/link.h"

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

using Kind = Report::Kind;

class LinkTest : public testing::Test {
 protected:
  void give(const std::string& key) { link.inbox().give({Order::Kind::work, {key, {}}}); }
  void go_home() { link.inbox().give({Order::Kind::go_home, {}}); }
  std::vector<Report> told() {
    std::vector<Report> reports;
    while (auto report = link.next_report(std::chrono::microseconds(0)))
      reports.push_back(*report);
    return reports;
  }
  LocalLink link;
  std::atomic<bool> stop = false;
};

TEST_F(LinkTest, OneOrderToGoHomeSendsAllThreadsHome) {
  std::atomic<int> done = 0;
  for (const char* key : {"a", "b", "c", "d", "e"})
    give(key);
  go_home();
  work_until_sent_home(
      link, 3, [&](const Item&) { ++done; }, [] {}, stop);
  EXPECT_EQ(done, 5);
  const std::vector<Report> reports = told();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports.front().kind, Kind::arrived);
  EXPECT_EQ(reports.back().kind, Kind::goodbye);
}

TEST_F(LinkTest, AnErrorInOneThreadStopsTheOthersAtTheirNextStep) {
  std::atomic<int> begun = 0;
  give("fails");
  give("runs");
  const auto attempt = [&](const Item& item) {
    ++begun;
    while (begun < 2)
      std::this_thread::yield();
    if (item.key == "fails")
      throw core::SystemError("MPI failed in MPI_Isend");
    while (!stop)
      std::this_thread::yield();
  };
  EXPECT_THROW(work_until_sent_home(
                   link, 3, attempt, [] {}, stop),
               core::SystemError);
  EXPECT_TRUE(stop);
}

TEST_F(LinkTest, AnErrorOfAnotherThreadEndsAllThatWait) {
  const std::jthread other([&] {
    link.inbox().break_off(std::make_exception_ptr(core::SystemError("no manager")));
  });
  EXPECT_THROW(work_until_sent_home(
                   link, 2, [](const Item&) {}, [] {}, stop),
               core::SystemError);
}

TEST_F(LinkTest, PiecesThatComeAfterAStopAreDeclined) {
  stop = true;
  give("late");
  go_home();
  work_until_sent_home(
      link, 2, [](const Item&) { FAIL(); }, [] {}, stop);
  const std::vector<Report> reports = told();
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[1].kind, Kind::stopped);
  EXPECT_EQ(reports[1].key, "late");
}

}  // namespace
}  // namespace proxytune::work
