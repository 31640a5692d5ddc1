#include "proxytune/work/account.h"

#include <gtest/gtest.h>

namespace proxytune::work {
namespace {

using End = Account::End;

/// A clock that is moved by hand, in seconds.
class AccountTest : public testing::Test {
 protected:
  void pass(double seconds) {
    now_ += std::chrono::duration_cast<Account::Clock::duration>(
        std::chrono::duration<double>(seconds));
  }
  StageSeconds of(const std::string& stage, bool at_work = true) {
    return seconds_by_stage(account_.so_far(), at_work)[stage];
  }
  void expect(const StageSeconds& seconds, double work, double waste, double idle) {
    EXPECT_NEAR(seconds.work, work, 1e-6);
    EXPECT_NEAR(seconds.waste, waste, 1e-6);
    EXPECT_NEAR(seconds.idle, idle, 1e-6);
  }

  Account::Clock::time_point now_{};
  Account account_{now_, [this] { return now_; }};
};

TEST_F(AccountTest, WhatNoPieceTakesIsTheStagesIdleTime) {
  pass(2);
  account_.enter("sweep");
  pass(1);
  account_.begin("a");
  pass(4);
  account_.end("a", End::done);
  pass(3);
  expect(of("start"), 0, 0, 2);
  expect(of("sweep"), 4, 0, 4);
}

TEST_F(AccountTest, PiecesBesideEachOtherShareTheTime) {
  account_.enter("sweep");
  account_.begin("a");
  pass(2);
  account_.begin("b");
  pass(4);
  EXPECT_NEAR(account_.seconds("a"), 4, 1e-6);
  EXPECT_NEAR(account_.seconds("b"), 2, 1e-6);
  account_.end("a", End::failed);
  pass(1);
  account_.end("b", End::done);
  expect(of("sweep"), 3, 4, 0);
}

TEST_F(AccountTest, OfAPieceThatIsLeftWhatItKeptCounts) {
  account_.enter("sweep");
  account_.begin("a");
  pass(5);
  account_.keep("a");
  pass(2);
  account_.end("a", End::left);
  expect(of("sweep"), 5, 2, 0);
}

TEST_F(AccountTest, OfAPieceThatFailedNothingCounts) {
  account_.enter("sweep");
  account_.begin("a");
  pass(5);
  account_.keep("a");
  pass(2);
  account_.end("a", End::failed);
  expect(of("sweep"), 0, 7, 0);
}

TEST_F(AccountTest, WhatDiedWithItsProcessIsWasteFromItsLastKeeping) {
  account_.enter("search");
  account_.begin("a");
  pass(5);
  account_.keep("a");
  pass(2);
  expect(of("search", /*at_work=*/true), 7, 0, 0);
  expect(of("search", /*at_work=*/false), 5, 2, 0);
}

TEST_F(AccountTest, SaysWhatTheRankIsAtAndThatItComesFurther) {
  account_.enter("sweep");
  EXPECT_EQ(account_.doing(), "sweep");
  account_.begin("a");
  account_.begin("b");
  const auto before = account_.steps();
  account_.reach("a", "3 of 10 epochs done");
  EXPECT_EQ(account_.doing(), "sweep, a (3 of 10 epochs done), b");
  EXPECT_GT(account_.steps().at("a"), before.at("a"));
  EXPECT_EQ(account_.steps().at("b"), before.at("b"));
  account_.step("b");
  account_.end("a", End::done);
  EXPECT_GT(account_.steps().at("b"), before.at("b"));
  EXPECT_EQ(account_.steps().size(), 1U);
}

TEST_F(AccountTest, EveryMomentCountsOnce) {
  for (int i = 0; i < 50; ++i) {
    const std::string piece = std::to_string(i);
    pass(0.1 * i);
    account_.enter(i % 2 == 0 ? "sweep" : "search");
    account_.begin(piece);
    pass(0.7);
    account_.begin("beside");
    pass(0.3);
    account_.end(piece, i % 3 == 0 ? End::failed : End::left);
    pass(0.2);
    account_.end("beside", End::done);
  }
  double sum = 0;
  for (const auto& [stage, seconds] : seconds_by_stage(account_.so_far(), true))
    sum += seconds.total();
  EXPECT_NEAR(sum, account_.so_far().number("seconds"), 1e-6);
  EXPECT_NEAR(sum, std::chrono::duration<double>(now_.time_since_epoch()).count(), 1e-6);
}

}  // namespace
}  // namespace proxytune::work
