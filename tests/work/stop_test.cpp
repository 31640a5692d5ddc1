#include "proxytune/work/stop.h"

#include <csignal>

#include <gtest/gtest.h>

namespace proxytune::work {
namespace {

TEST(StopSignalsTest, SetTheFlagAndNameTheFirst) {
  const std::atomic<bool>& stop = install_stop_signals();
  EXPECT_FALSE(stop);
  EXPECT_STREQ(stop_signal_name(), "");
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGUSR2}) {
    std::raise(signal);
    EXPECT_TRUE(stop);
    EXPECT_STREQ(stop_signal_name(), "SIGUSR1");
  }
  // A test program that hangs later must still be killable.
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGUSR2})
    std::signal(signal, SIG_DFL);
}

}  // namespace
}  // namespace proxytune::work
