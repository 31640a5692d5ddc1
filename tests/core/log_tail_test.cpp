#include "proxytune/core/log_tail.h"

#include <thread>

#include <gtest/gtest.h>

namespace proxytune::core {
namespace {

TEST(LogTailTest, HoldsWhatItsThreadSaidShownOrNot) {
  const Log log = Log::silent();
  log.info("before");
  const LogTail tail(log);
  EXPECT_EQ(tail.text(), "");
  log.info("one");
  log.detail("two");
  log.warn("three");
  std::thread([&] { log.warn("of another trial"); }).join();
  EXPECT_EQ(tail.text(), "one\ntwo\nwarning: three");
}

TEST(LogTailTest, ForgetsWhatAnEarlierOneHeard) {
  const Log log = Log::silent();
  {
    const LogTail first(log);
    log.info("of the first");
  }
  log.info("between");
  const LogTail second(log);
  log.info("of the second");
  EXPECT_EQ(second.text(), "of the second");
}

TEST(LogTailTest, KeepsTheLastLines) {
  const Log log = Log::silent();
  const LogTail tail(log);
  for (int i = 1; i <= 30; ++i)
    log.detail("line " + std::to_string(i));
  EXPECT_TRUE(tail.text().starts_with("line 11\n"));
  EXPECT_TRUE(tail.text().ends_with("\nline 30"));
}

TEST(LogTailTest, KeepsNoMoreThanItsBytesInWholeLines) {
  const Log log = Log::silent();
  const LogTail tail(log);
  log.detail(std::string(1500, 'a'));
  log.detail(std::string(1000, 'b'));
  log.detail("c");
  EXPECT_EQ(tail.text(), std::string(1000, 'b') + "\nc");
}

TEST(LogTailTest, CutsTooLongALineBetweenCharacters) {
  const Log log = Log::silent();
  const LogTail tail(log);
  std::string line;
  for (int i = 0; i < 2000; ++i)
    line += "\xc3\xa4";  // a with two dots
  log.detail(line + "!");
  EXPECT_EQ(tail.text().size(), LogTail::max_bytes - 1);
  EXPECT_TRUE(tail.text().starts_with("\xc3\xa4"));
}

}  // namespace
}  // namespace proxytune::core
