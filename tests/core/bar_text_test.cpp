#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/progress_bar.h"

namespace proxytune::core {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BarState some_state() {
  BarState state;
  state.label = "sweep";
  state.done = 12;
  state.total = 40;
  state.running = 2;
  state.best = 0.83124;
  state.seconds_elapsed = 104.6;
  state.seconds_left = 241;
  return state;
}

TEST(DurationTextTest, RoundsToWhatOneCaresFor) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 0 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 0 min");
  EXPECT_EQ(duration_text(12000), "3 h 20 min");
}

TEST(BarTextTest, SaysAllWhereThereIsRoom) {
  EXPECT_EQ(bar_text(some_state(), 200),
            "sweep [######--------------] 12/40, 2 running  best 0.8312  1 min 45 s elapsed, "
            "4 min 1 s left");
}

TEST(BarTextTest, LeavesOutTheLessImportantWhereThereIsNot) {
  const BarState state = some_state();
  EXPECT_EQ(bar_text(state, 79),
            "sweep [######--------------] 12/40, 2 running  best 0.8312  4 min 1 s left");
  EXPECT_EQ(bar_text(state, 70),
            "sweep [######--------------] 12/40  best 0.8312  4 min 1 s left");
  EXPECT_EQ(bar_text(state, 60), "sweep [###-------] 12/40  best 0.8312  4 min 1 s left");
  EXPECT_EQ(bar_text(state, 50), "sweep 12/40  best 0.8312  4 min 1 s left");
  EXPECT_EQ(bar_text(state, 30), "sweep 12/40  4 min 1 s left");
  EXPECT_EQ(bar_text(state, 20), "sweep 12/40");
  EXPECT_EQ(bar_text(state, 10), "sweep 12/4");
  EXPECT_EQ(bar_text(state, 0), "");
  EXPECT_EQ(bar_text(state, -1), "");
}

TEST(BarTextTest, SaysNothingOfWhatIsNotKnown) {
  BarState state = some_state();
  state.running = 0;
  state.best = std::nan("");
  state.seconds_left = std::nan("");
  EXPECT_EQ(bar_text(state, 200), "sweep [######--------------] 12/40  1 min 45 s elapsed");
}

TEST(BarTextTest, IsFullWhenAllIsDoneAndNotBefore) {
  BarState state = some_state();
  const std::string full = "[####################]";
  for (const std::size_t total : {1U, 7U, 40U, 100000U}) {
    state.total = total;
    state.done = total - 1;
    EXPECT_THAT(bar_text(state, 200), Not(HasSubstr(full)));
    state.done = total;
    EXPECT_THAT(bar_text(state, 200), HasSubstr(full));
    state.done = total + 5;
    EXPECT_THAT(bar_text(state, 200), HasSubstr(full));
  }
  state.done = 45;
  state.total = 40;
  EXPECT_THAT(bar_text(state, 200), HasSubstr(" 45/40"));
}

TEST(BarTextTest, OfNothingIsEmpty) {
  BarState state;
  state.label = "train";
  EXPECT_EQ(bar_text(state, 80), "train [--------------------] 0/0  0 s elapsed");
}

TEST(BarTextTest, NeverIsLongerThanTheTerminalNorHoldsAnythingButPlainCharacters) {
  BarState state = some_state();
  for (const char* const label : {"",
                                  "sweep",
                                  "search ma\xc3\xb1"
                                  "ana\n\x1b[2J with a long name"})
    for (const std::size_t done : {std::size_t{0}, std::size_t{39}, std::size_t{1} << 40U})
      for (const double seconds : {0.0, 59.0, 1e7})
        for (int columns = 0; columns < 130; ++columns) {
          state.label = label;
          state.done = done;
          state.seconds_left = seconds;
          const std::string text = bar_text(state, columns);
          EXPECT_LE(static_cast<int>(text.size()), columns);
          EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char byte) {
            return byte >= ' ' && byte <= '~';
          })) << text;
        }
}

}  // namespace
}  // namespace proxytune::core
