#include "proxytune/core/duration.h"

#include <gtest/gtest.h>

namespace proxytune::core {
namespace {

TEST(SecondsOfTest, ReadsSecondsAndUnits) {
  EXPECT_EQ(seconds_of("0"), 0);
  EXPECT_EQ(seconds_of("5400"), 5400);
  EXPECT_EQ(seconds_of("0.25"), 0.25);
  EXPECT_EQ(seconds_of("90m"), 5400);
  EXPECT_EQ(seconds_of("1h30m"), 5400);
  EXPECT_EQ(seconds_of("1d12h"), 129600);
  EXPECT_EQ(seconds_of("2d3h4m5s"), 183845);
}

TEST(SecondsOfTest, IsNothingForWhatIsNoDuration) {
  for (const char* text : {"",
                           "h",
                           "1x",
                           "30m1h",
                           "1h1h",
                           "1h30",
                           "-5",
                           "1.5h",
                           "1e3",
                           "inf",
                           "nan",
                           " 5",
                           "5 m",
                           "99999999999"})
    EXPECT_EQ(seconds_of(text), std::nullopt) << text;
}

}  // namespace
}  // namespace proxytune::core
