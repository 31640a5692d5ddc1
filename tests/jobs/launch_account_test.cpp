#include "jobs/launch_account.h"

#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/work/folder.h"

namespace proxytune::jobs {
namespace {

using Clock = work::Account::Clock;

/// What a reader finds in the folder about the only rank, as after a kill at this moment.
work::Record account_in(const std::filesystem::path& folder) {
  const work::JournalContents contents =
      work::read_journal(folder, "study", core::Log::silent());
  return contents.accounts.empty() ? work::Record() : contents.accounts.begin()->second.at(0);
}

double of(const std::filesystem::path& folder, const std::string& use) {
  const work::Record account = account_in(folder);
  return account.has(use) ? account.number(use) : 0;
}

bool soon(const std::function<bool()>& true_by_then) {
  const auto end = Clock::now() + std::chrono::minutes(1);
  while (Clock::now() < end) {
    if (true_by_then())
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

TEST(LaunchAccountTest, NotesALongPieceAtEveryHeartbeatSoThatAKillHidesNoMoreThanOne) {
  const work::TestFolder folder;
  StudyJournal journal;
  journal.begin(folder.path(), "study", "launch", 0);
  LaunchAccount account(journal, Clock::now(), std::chrono::milliseconds(20));
  account.account().enter("sweep");
  account.account().begin("a trial of many hours");
  double last = 0;
  for (int heartbeat = 0; heartbeat < 3; ++heartbeat) {
    ASSERT_TRUE(soon([&] { return of(folder.path(), "sweep.open") > last; }));
    last = of(folder.path(), "sweep.open");
  }
  EXPECT_FALSE(account_in(folder.path()).boolean("ended"));
}

TEST(LaunchAccountTest, ItsLastWordIsThatItEnded) {
  const work::TestFolder folder;
  StudyJournal journal;
  journal.begin(folder.path(), "study", "launch", 0);
  {
    LaunchAccount account(journal, Clock::now(), std::chrono::hours(1));
    account.account().enter("sweep");
    account.account().begin("a trial");
    account.end("a trial", work::Account::End::done);
  }
  EXPECT_TRUE(account_in(folder.path()).boolean("ended"));
  EXPECT_GT(of(folder.path(), "sweep.work"), 0);
  EXPECT_EQ(of(folder.path(), "sweep.open"), 0);
}

}  // namespace
}  // namespace proxytune::jobs
