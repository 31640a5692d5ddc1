#include "proxytune/core/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::core {
namespace {

OutputFacts plain_terminal() {
  OutputFacts facts;
  facts.term = "xterm-256color";
  facts.terminal = true;
  return facts;
}

OutputFacts launched_on_terminal() {
  OutputFacts facts = plain_terminal();
  facts.launched = true;
  facts.launcher_terminal = true;
  return facts;
}

TEST(DrawsBarTest, OnATerminal) {
  EXPECT_TRUE(draws_bar(plain_terminal()));
  EXPECT_TRUE(draws_bar(launched_on_terminal()));
}

TEST(DrawsBarTest, NotIntoAFileOrAPipe) {
  OutputFacts facts = plain_terminal();
  facts.terminal = false;
  EXPECT_FALSE(draws_bar(facts));
  facts = launched_on_terminal();
  facts.terminal = false;
  EXPECT_FALSE(draws_bar(facts));
}

TEST(DrawsBarTest, NotOnATerminalThatCannotErase) {
  for (const char* term : {"", "dumb"})
    for (OutputFacts facts : {plain_terminal(), launched_on_terminal()}) {
      facts.term = term;
      EXPECT_FALSE(draws_bar(facts));
    }
}

TEST(DrawsBarTest, NotWhereTheLauncherWritesElsewhereOrNobodyKnowsWhere) {
  OutputFacts facts = launched_on_terminal();
  facts.launcher_terminal = false;
  EXPECT_FALSE(draws_bar(facts));
}

TEST(DrawsBarTest, NotWhereTheLauncherRewritesLines) {
  OutputFacts facts = launched_on_terminal();
  facts.rewritten = true;
  EXPECT_FALSE(draws_bar(facts));
}

TEST(DrawsBarTest, AsIsWished) {
  for (OutputFacts facts : {OutputFacts{}, plain_terminal(), launched_on_terminal()}) {
    const bool by_itself = draws_bar(facts);
    facts.wish = "auto";
    EXPECT_EQ(draws_bar(facts), by_itself);
    facts.wish = "bar";
    EXPECT_TRUE(draws_bar(facts));
    facts.wish = "lines";
    EXPECT_FALSE(draws_bar(facts));
  }
}

TEST(DrawsBarTest, RefusesAWishThatIsNoChoice) {
  OutputFacts facts;
  facts.wish = "yes";
  try {
    draws_bar(facts);
    FAIL() << "accepted";
  } catch (const ConfigurationError& error) {
    EXPECT_STREQ(
        error.what(),
        "PROXYTUNE_PROGRESS is \"yes\", but must be auto, bar or lines: correct or unset it");
  }
}

}  // namespace
}  // namespace proxytune::core
