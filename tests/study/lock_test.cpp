#include "proxytune/study/lock.h"

#include <atomic>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

#include "tests/support/temporary_folder.h"

namespace proxytune::study {
namespace {

using test::TemporaryFolder;

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr LockOptions quick{.heartbeat = 20ms, .stale_after = 300ms};

bool can_lock(const TemporaryFolder& folder, LockOptions options = {}) {
  try {
    const StudyLock lock(folder.path(), options);
    return true;
  } catch (const core::ConfigurationError&) {
    return false;
  }
}

void write_foreign_lock(const TemporaryFolder& folder, int number, std::chrono::seconds age) {
  const auto file = folder.path() / ("lock." + std::to_string(number));
  core::write_file_atomically(
      file, R"({"host": "node7", "machine": "m", "process": "12", "job": "99"})");
  const std::time_t then = std::time(nullptr) - age.count();
  const timespec times[2] = {{then, 0}, {then, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

TEST(StudyLockTest, AnybodyLearnsWhoHoldsTheFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(live_holder(folder.path()), std::nullopt);
  {
    const StudyLock lock(folder.path());
    EXPECT_THAT(live_holder(folder.path()).value_or(""),
                HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_EQ(live_holder(folder.path()), std::nullopt);
  write_foreign_lock(folder, 9, 10s);
  EXPECT_EQ(live_holder(folder.path()), "process 12 on host node7 (job 99)");
  write_foreign_lock(folder, 10, 100s);
  EXPECT_EQ(live_holder(folder.path()), std::nullopt);
}

TEST(StudyLockTest, ASecondJobIsToldWhoHoldsTheFolder) {
  const TemporaryFolder folder;
  const StudyLock lock(folder.path());
  try {
    const StudyLock second(folder.path());
    FAIL() << "two live jobs";
  } catch (const core::ConfigurationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is in use by process " + std::to_string(::getpid())));
    EXPECT_THAT(error.what(), HasSubstr("wait for it, stop it, or choose another folder"));
  }
}

TEST(StudyLockTest, ReleasedIsFreeAtOnceAndLeavesOneFile) {
  const TemporaryFolder folder;
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(can_lock(folder));
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  EXPECT_EQ(files, 1);
}

TEST(StudyLockTest, OfAnotherHostHoldsUntilItIsSilentTooLong) {
  const TemporaryFolder folder;
  write_foreign_lock(folder, 4, 25s);
  EXPECT_FALSE(can_lock(folder));
  write_foreign_lock(folder, 4, 40s);
  EXPECT_TRUE(can_lock(folder));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "lock.4"));
}

TEST(StudyLockTest, ATornFileHoldsUntilItIsSilentTooLong) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "lock.1") << "{\"host\"";
  EXPECT_FALSE(can_lock(folder));
}

TEST(StudyLockTest, OfAKilledProcessOfThisMachineIsFreeAtOnce) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const StudyLock lock(folder.path());
    if (::write(ready[1], "x", 1) != 1)
      ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char letter = 0;
  ASSERT_EQ(::read(ready[0], &letter, 1), 1);
  EXPECT_FALSE(can_lock(folder));
  ::kill(child, SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(can_lock(folder)) << "a zombie holds nothing";
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(can_lock(folder));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(StudyLockTest, TheHeartbeatKeepsALongJobsLock) {
  const TemporaryFolder folder;
  const StudyLock lock(folder.path(), quick);
  std::this_thread::sleep_for(500ms);
  EXPECT_FALSE(can_lock(folder, quick));
  EXPECT_FALSE(lock.lost());
}

TEST(StudyLockTest, AHolderThatWasSilentLearnsThatItLostTheLock) {
  const TemporaryFolder folder;
  const LockOptions slow{.heartbeat = 250ms, .stale_after = 50ms};
  const StudyLock silent(folder.path(), slow);
  std::this_thread::sleep_for(120ms);
  const StudyLock next(folder.path(), slow);
  std::this_thread::sleep_for(400ms);
  EXPECT_TRUE(silent.lost());
  EXPECT_FALSE(next.lost());
}

TEST(StudyLockTest, OfManyContendersForAStaleLockOneWins) {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    write_foreign_lock(folder, 1, 1000s);
    std::atomic<int> won{0};
    std::vector<std::optional<StudyLock>> locks(8);
    std::vector<std::thread> contenders;
    for (std::size_t i = 0; i < locks.size(); ++i) {
      contenders.emplace_back([&, i] {
        try {
          locks[i].emplace(folder.path());
          ++won;
        } catch (const core::ConfigurationError&) {
          // told to stay away
        }
      });
    }
    for (std::thread& contender : contenders)
      contender.join();
    EXPECT_EQ(won, 1);
  }
}

TEST(StudyLockTest, AFolderThatIsNotThereIsASystemError) {
  const TemporaryFolder folder;
  EXPECT_THROW(StudyLock(folder.path() / "missing"), core::SystemError);
}

}  // namespace
}  // namespace proxytune::study
