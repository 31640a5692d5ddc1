#include "proxytune/core/progress_bar.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/core/terminal.h"

namespace proxytune::core {
namespace {

using ::testing::EndsWith;

const std::string erase = "\r\x1b[K";
const std::string cells = "[--------------------]";

std::string drawn(const std::string& text) {
  return "\r" + text + "\x1b[K";
}

/// A stream whose bytes may be looked at while it is written to.
class Stream {
 public:
  std::FILE* get() const { return file_.get(); }
  std::string bytes() const {
    std::string text;
    std::array<char, 4096> part{};
    ssize_t count = 0;
    while ((count = pread(
                fileno(get()), part.data(), part.size(), static_cast<off_t>(text.size()))) > 0)
      text.append(part.data(), static_cast<std::size_t>(count));
    return text;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

/// What a terminal shows in the end. Fails on what these bytes need not hold.
std::vector<std::string> screen_of(const std::string& bytes) {
  std::vector<std::string> lines(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      column = 0;
    } else if (bytes[i] == '\n') {
      lines.emplace_back();
      column = 0;
    } else if (bytes.compare(i, 3, "\x1b[K") == 0) {
      lines.back().resize(column);
      i += 2;
    } else {
      EXPECT_GE(bytes[i], ' ');
      lines.back().resize(std::max(lines.back().size(), column + 1), ' ');
      lines.back()[column++] = bytes[i];
    }
  }
  return lines;
}

class ProgressBarTest : public ::testing::Test {
 protected:
  ProgressBarTest() {
    terminal.bar = true;
    terminal.columns = [] { return 80; };
    terminal.redraw = std::chrono::milliseconds(0);
    terminal.seconds = [this] { return present; };
  }

  Log log_on_terminal(int rank = 0) const {
    Log log = Log::for_streams(rank, 2, output.get(), errors.get());
    log.show_on(terminal);
    return log;
  }

  Stream output, errors;
  Terminal terminal;
  double present = 1000;
};

TEST_F(ProgressBarTest, IsDrawnAtOnceAndErasedAtItsEnd) {
  const Log log = log_on_terminal();
  { const ProgressBar bar(log, "sweep", 40); }
  EXPECT_EQ(output.bytes(), drawn("sweep " + cells + " 0/40  0 s elapsed") + erase);
}

TEST_F(ProgressBarTest, GivesWayToALineAndIsDrawnAgainBelowIt) {
  const Log log = log_on_terminal();
  const std::string text = drawn("sweep " + cells + " 0/40  0 s elapsed");
  {
    const ProgressBar bar(log, "sweep", 40);
    log.info("one\ntwo");
  }
  log.info("three");
  EXPECT_EQ(output.bytes(), text + erase + "one\ntwo\n" + text + erase + "three\n");
}

TEST_F(ProgressBarTest, GivesWayToComplaintsThatGoElsewhere) {
  const Log log = log_on_terminal();
  const std::string text = drawn("sweep " + cells + " 0/40  0 s elapsed");
  {
    const ProgressBar bar(log, "sweep", 40);
    log.warn("hot");
    log.error("burnt");
  }
  EXPECT_EQ(output.bytes(), text + erase + text + erase + text + erase);
  EXPECT_EQ(errors.bytes(), "rank 0: warning: hot\nrank 0: error: burnt\n");
}

TEST_F(ProgressBarTest, IsErasedByComplaintsOfEveryRankWhereTheyAreSeenTogether) {
  terminal.shows_errors = true;
  const Log log = log_on_terminal();
  const ProgressBar bar(log, "sweep", 40);
  log.warn("hot");
  terminal.bar = false;  // as on the other ranks
  const Log other = log_on_terminal(1);
  other.warn("cold");
  EXPECT_EQ(errors.bytes(),
            erase + "rank 0: warning: hot\n" + erase + "rank 1: warning: cold\n");
}

TEST_F(ProgressBarTest, WithoutATerminalChangesNoByte) {
  terminal = {};
  const Log log = log_on_terminal();
  {
    ProgressBar bar(log, "sweep", 1);
    bar.begin();
    log.info("one");
    log.warn("hot");
    bar.best(0.5);
    bar.end();
  }
  EXPECT_EQ(output.bytes(), "one\n");
  EXPECT_EQ(errors.bytes(), "rank 0: warning: hot\n");
}

TEST_F(ProgressBarTest, IsDrawnByTheRankThatSaysLinesOnly) {
  const Log log = log_on_terminal(1);
  {
    ProgressBar bar(log, "sweep", 1);
    bar.end();
  }
  EXPECT_EQ(output.bytes(), "");
  const Log silent = Log::silent();
  { const ProgressBar bar(silent, "sweep", 1); }
}

TEST_F(ProgressBarTest, TellsWhatRunsTheBestAndTheTimeLeft) {
  terminal.columns = [] { return 120; };
  const Log log = log_on_terminal();
  ProgressBar bar(log, "sweep", 8);
  for (int i = 0; i < 3; ++i)
    bar.begin();
  bar.skip(2);  // their time is another launch's
  bar.begin();
  present += 10;
  bar.best(0.75);
  bar.end();
  log.info("a line");
  EXPECT_THAT(
      output.bytes(),
      EndsWith(drawn("sweep [#######-------------] 3/8, 1 running  best 0.7500  10 s elapsed, "
                     "50 s left")));
  present += 20;
  log.info("a line");
  EXPECT_THAT(output.bytes(), EndsWith("30 s elapsed, 30 s left\x1b[K"));
  present += 31;
  log.info("the guess was wrong");
  EXPECT_THAT(output.bytes(), EndsWith("  1 min 1 s elapsed\x1b[K"));
}

TEST_F(ProgressBarTest, IsNotDrawnForEachOfManyPieces) {
  const Log log = log_on_terminal();
  ProgressBar bar(log, "rank", 1000);
  const std::string before = output.bytes();
  for (int i = 0; i < 1000; ++i)
    bar.end();
  EXPECT_EQ(output.bytes(), before);
  log.info("a line");
  EXPECT_THAT(output.bytes(), EndsWith(" 1000/1000  0 s elapsed\x1b[K"));
}

TEST_F(ProgressBarTest, KeepsToTheColumnsThereAreAtTheMoment) {
  int columns = 80;
  terminal.columns = [&] { return columns; };
  const Log log = log_on_terminal();
  const ProgressBar bar(log, "sweep", 40);
  columns = 12;
  log.info("x");
  // One less than there are: in the last column terminals wrap.
  EXPECT_THAT(output.bytes(), EndsWith("x\n" + drawn("sweep 0/40")));
  columns = 10;
  log.info("x");
  EXPECT_THAT(output.bytes(), EndsWith("x\n" + drawn("sweep 0/4")));
}

TEST_F(ProgressBarTest, IsDrawnAgainWithoutALineWhenItHasChanged) {
  terminal.redraw = std::chrono::milliseconds(1);
  const Log log = log_on_terminal();
  ProgressBar bar(log, "sweep", 40);
  bar.begin();
  const std::string changed = drawn("sweep " + cells + " 0/40, 1 running  0 s elapsed");
  while (output.bytes().find(changed) == std::string::npos)
    std::this_thread::yield();
  EXPECT_EQ(output.bytes(), drawn("sweep " + cells + " 0/40  0 s elapsed") + changed);
}

TEST_F(ProgressBarTest, IsDrawnAgainWhileNothingHappensWhenASecondHasPassed) {
  terminal.redraw = std::chrono::milliseconds(1);
  std::atomic<double> now = 0;
  terminal.seconds = [&] { return now.load(); };
  const Log log = log_on_terminal();
  const ProgressBar bar(log, "sweep", 40);
  now = 1;
  const std::string later = drawn("sweep " + cells + " 0/40  1 s elapsed");
  while (output.bytes().find(later) == std::string::npos)
    std::this_thread::yield();
  EXPECT_EQ(output.bytes(), drawn("sweep " + cells + " 0/40  0 s elapsed") + later);
}

TEST_F(ProgressBarTest, LeavesWholeLinesAndNoRestOfItselfWithManyThreads) {
  terminal.redraw = std::chrono::milliseconds(1);
  const Log log = log_on_terminal();
  {
    ProgressBar bar(log, "sweep", 400);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&bar, log] {
        for (int i = 0; i < 100; ++i) {
          bar.begin();
          log.info("this is a line that is longer than the bar is where the terminal is wide");
          bar.end();
        }
      });
  }
  std::vector<std::string> expected(
      400, "this is a line that is longer than the bar is where the terminal is wide");
  expected.emplace_back();
  EXPECT_EQ(screen_of(output.bytes()), expected);
}

}  // namespace
}  // namespace proxytune::core
