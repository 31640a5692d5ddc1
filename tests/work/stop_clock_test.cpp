#include "proxytune/work/stop_clock.h"

#include <cmath>

#include <gtest/gtest.h>

namespace proxytune::work {
namespace {

/// What a clock did, waited for without a deadline of our own.
struct Heard {
  std::atomic<int> near = 0;
  std::atomic<int> overdue = 0;
  StopClock::Calls calls() {
    return {[this] { ++near; }, [this] { ++overdue; }};
  }
};

void wait_for(const std::function<bool()>& condition) {
  while (!condition())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(StopClockTest, WithoutALimitOrAStopItDoesNothing) {
  std::atomic<bool> stop = false;
  Heard heard;
  {
    const StopClock clock(stop, {.grace = 0}, heard.calls());
    EXPECT_TRUE(std::isinf(clock.seconds_left()));
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
  EXPECT_FALSE(stop);
  EXPECT_EQ(heard.near + heard.overdue, 0);
}

TEST(StopClockTest, StopsAheadOfTheLimitByGraceAndTheLongestCheckpoint) {
  std::atomic<bool> stop = false;
  Heard heard;
  StopClock clock(stop, {.limit = 1000, .grace = 300}, heard.calls());
  EXPECT_GT(clock.seconds_left(), 600);
  EXPECT_LE(clock.seconds_left(), 700);
  clock.took_checkpoint(600);
  clock.took_checkpoint(1);
  EXPECT_GT(clock.seconds_left(), 0);
  EXPECT_LE(clock.seconds_left(), 100);
  EXPECT_FALSE(stop);
  clock.took_checkpoint(701);
  EXPECT_EQ(clock.seconds_left(), 0);
  wait_for([&] { return stop.load(); });
  EXPECT_EQ(heard.near, 1);
  EXPECT_EQ(heard.overdue, 0);  // 300 s of grace are left
}

TEST(StopClockTest, EndsByForceWhatGoesOnAfterTheGraceTime) {
  std::atomic<bool> stop = false;
  Heard heard;
  const StopClock clock(stop, {.grace = 0.01}, heard.calls());
  stop = true;
  wait_for([&] { return heard.overdue > 0; });
  EXPECT_EQ(heard.overdue, 1);
  EXPECT_EQ(heard.near, 0);
}

TEST(StopClockTest, AStopOfAnotherCauseNeedsNoWarningOfTheLimit) {
  std::atomic<bool> stop = true;
  Heard heard;
  const StopClock clock(stop, {.limit = 0, .grace = 0.01}, heard.calls());
  wait_for([&] { return heard.overdue > 0; });
  EXPECT_EQ(heard.near, 0);
}

}  // namespace
}  // namespace proxytune::work
