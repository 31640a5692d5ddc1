#include "proxytune/training/team.h"

#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/training/trial_failure.h"

namespace proxytune::training {
namespace {

using ::testing::ElementsAre;

TEST(TeamTest, OfOneSharesWithItself) {
  Team team;
  EXPECT_EQ(team.size(), 1);
  EXPECT_TRUE(team.leads());
  EXPECT_THAT(team.share([] { return Team::Numbers{1, 2}; }), ElementsAre(ElementsAre(1, 2)));
  EXPECT_THROW(team.together([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(team.from_leader([] { return "text"; }), "text");
}

TEST(TeamTest, SharesNumbersByRank) {
  comm::run_as_threads(3, [](comm::Communicator& ranks) {
    Team team(ranks, Reduction::ordered);
    const double rank = ranks.rank();
    EXPECT_EQ(team.leads(), rank == 0);
    EXPECT_THAT(team.share([&] { return Team::Numbers(ranks.rank(), rank); }),
                ElementsAre(ElementsAre(), ElementsAre(1), ElementsAre(2, 2)));
    EXPECT_EQ(team.from_leader([] { return "the leader's"; }), "the leader's");
  });
}

/// What each rank says when `fail` is called on one of three.
std::vector<std::string> said(int failing, const std::function<void()>& fail) {
  std::vector<std::string> texts(3);
  comm::run_as_threads(3, [&](comm::Communicator& ranks) {
    Team team(ranks, Reduction::ordered);
    std::string& text = texts[static_cast<std::size_t>(ranks.rank())];
    try {
      team.together([&] {
        // Further in for the others, who wait for a second sharing.
        if (ranks.rank() == failing)
          fail();
        team.together([] {});
        ADD_FAILURE() << "came through";
      });
    } catch (...) {
      if (const auto failure = failure_of_trial())
        text = std::string(core::to_string(failure->status())) + ": " + failure->what();
      else
        text = "program";
    }
    // Nothing is left over of it.
    ranks.barrier();
    EXPECT_EQ(ranks.all_gather(std::as_bytes(std::span("x", 1))).size(), 3U);
  });
  return texts;
}

TEST(TeamTest, WhatEndsATrialOnOneRankEndsItOnAll) {
  EXPECT_THAT(
      said(1, [] { throw std::bad_alloc(); }),
      ElementsAre("out_of_memory: rank 1 of the trial's 3: the process got no more memory",
                  "out_of_memory: the process got no more memory",
                  "out_of_memory: rank 1 of the trial's 3: the process got no more memory"));
  EXPECT_THAT(said(0, [] { throw std::runtime_error("unforeseen"); }),
              ::testing::Each("failed: unforeseen"));
  EXPECT_THAT(said(2, [] { throw TrialFailure(trials::TrialStatus::timed_out, "late"); }),
              ::testing::Each("timed_out: late"));
  EXPECT_THAT(said(2, [] { throw core::SystemError("disk"); }), ::testing::Each("program"));
  EXPECT_THAT(said(0, [] { throw core::Stopped("stop"); }), ::testing::Each("program"));
}

TEST(TeamTest, KeepsTheKindOfAProgramsError) {
  comm::run_as_threads(2, [](comm::Communicator& ranks) {
    Team stopped(ranks, Reduction::ordered);
    EXPECT_THROW(stopped.together([&] {
      if (ranks.rank() == 1)
        throw core::Stopped("asked to");
    }),
                 core::Stopped);
    Team full(ranks, Reduction::ordered);
    EXPECT_THROW(full.together([&] {
      if (ranks.rank() == 0)
        throw core::SystemError("the disk is full");
    }),
                 core::SystemError);
  });
}

TEST(TeamTest, TheLowestRanksFailureIsEverybodys) {
  comm::run_as_threads(3, [](comm::Communicator& ranks) {
    Team team(ranks, Reduction::ordered);
    try {
      team.together([&] {
        if (ranks.rank() > 0)
          throw std::runtime_error("of " + std::to_string(ranks.rank()));
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("of 1"));
    }
  });
}

}  // namespace
}  // namespace proxytune::training
