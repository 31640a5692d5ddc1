#include "src/work/late_reports.h"

#include <future>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

/// Keeps what it is told.
class Listener : public Link {
 public:
  void tell(const Report& report) override {
    const std::scoped_lock lock(mutex_);
    told_.push_back(report);
  }
  Order wait() override { throw std::logic_error("nobody waits here"); }
  void break_off(std::exception_ptr) override { ADD_FAILURE() << "a listener never fails"; }

  std::vector<Report> told() {
    const std::scoped_lock lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;
  std::vector<Report> told_;
};

Report finished(int piece) {
  return {.kind = Report::Kind::finished, .key = std::to_string(piece)};
}

TEST(LateReportsTest, NothingIsToldBeforeItIsOnDisk) {
  Listener listener;
  std::promise<void> disk;
  const auto on_disk = disk.get_future().share();
  std::promise<void> begun;
  int syncs = 0;
  {
    LateReports late(
        [&] {
          if (syncs++ == 0)
            begun.set_value();
          on_disk.wait();
        },
        listener);
    late.tell_when_synced(finished(0));
    begun.get_future().wait();
    // They come while the disk is at work, so its next sync is theirs, all of them.
    for (int piece = 1; piece < 50; ++piece)
      late.tell_when_synced(finished(piece));
    EXPECT_TRUE(listener.told().empty());
    disk.set_value();
  }
  const std::vector<Report> told = listener.told();
  ASSERT_EQ(told.size(), 50U);
  for (int piece = 0; piece < 50; ++piece) {
    EXPECT_EQ(told[static_cast<std::size_t>(piece)].key, std::to_string(piece));
    EXPECT_EQ(told[static_cast<std::size_t>(piece)].kind, Report::Kind::finished);
  }
  EXPECT_EQ(syncs, 2);
}

TEST(LateReportsTest, WhatTheDiskRefusedIsNotFinished) {
  Listener listener;
  {
    LateReports late([] { throw core::SystemError("the disk is full"); }, listener);
    late.tell_when_synced(finished(7));
  }
  const std::vector<Report> told = listener.told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Report::Kind::failed);
  EXPECT_EQ(told[0].key, "7");
  EXPECT_EQ(told[0].failure.sentence, "the disk is full");
}

TEST(LateReportsTest, ARefusedSyncOfAStartEndsTheWorkAsWell) {
  Listener listener;
  {
    LateReports late([] { throw core::SystemError("the disk is full"); }, listener);
    late.sync_soon();
  }
  const std::vector<Report> told = listener.told();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Report::Kind::failed);
  EXPECT_EQ(told[0].failure.sentence, "the disk is full");
}

}  // namespace
}  // namespace proxytune::work
