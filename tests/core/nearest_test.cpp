#include "proxytune/core/nearest.h"

#include <gtest/gtest.h>

namespace proxytune::core {
namespace {

TEST(NearestTest, FindsTransposedAndMissingLetters) {
  EXPECT_EQ(nearest("epcohs", {"epochs", "patch"}), "epochs");
  EXPECT_EQ(nearest("bin", {"bins", "window"}), "bins");
  EXPECT_EQ(nearest("zzzzzz", {"bins", "window"}), "");
}

TEST(NearestTest, IsEmptyWithoutWords) {
  EXPECT_EQ(nearest("bins", {}), "");
  EXPECT_EQ(nearest("", {"bins"}), "");
}

}  // namespace
}  // namespace proxytune::core
