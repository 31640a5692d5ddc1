#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "proxytune/core/hash.h"
#include "proxytune/core/table.h"

namespace proxytune::core {
namespace {

TEST(ChecksumTest, IsTheCrc32OfZlib) {
  EXPECT_EQ(checksum("123456789"), 0xcbf43926U);
}

// Known answers: every key, cache and journal hangs on these never changing.
TEST(ContentHashTest, IsXxh3) {
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
}

TEST(ContentHasherTest, TellsWherePiecesEnd) {
  ContentHasher one;
  one.add("ab");
  one.add("c");
  ContentHasher other;
  other.add("a");
  other.add("bc");
  EXPECT_NE(one.hexadecimal(), other.hexadecimal());
  EXPECT_EQ(one.hexadecimal().size(), 32U);
}

TEST(TableTest, RefusesColumnsOfUnequalLength) {
  Table table{"/t", "", {}};
  table.add("a", "1", "", std::vector<double>{1, 2});
  validate(table);
  table.add("b", "1", "", std::vector<std::int64_t>{1});
  EXPECT_THROW(validate(table), std::invalid_argument);
}

TEST(TableTest, RefusesNamesThatAreNoIdentifiersOrStandTwice) {
  Table table{"/t", "", {}};
  table.add("a b", "1", "", std::vector<double>{1});
  EXPECT_THROW(validate(table), std::invalid_argument);
  Table twice{"/t", "", {}};
  twice.add("a", "1", "", std::vector<double>{1}).add("a", "1", "", std::vector<double>{1});
  EXPECT_THROW(validate(twice), std::invalid_argument);
}

TEST(TableTest, TakesColumnsOfHigherRank) {
  Table table{"/t", "", {}};
  table.add("curve", "1", "", std::vector<double>(6), {2, 3});
  validate(table);
  EXPECT_EQ(table.rows(), 2U);
  table.add("other", "1", "", std::vector<double>(5), {2, 3});
  EXPECT_THROW(validate(table), std::invalid_argument);
}

TEST(TableTest, PrintsAlignedRowsAndMissingNumbersAsADash) {
  Table table{"/t", "", {}};
  table.add("name", "1", "", std::vector<std::string>{"a", "longer"});
  table.add(
      "dice", "1", "", std::vector<double>{0.5, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(to_text(table), "name    dice\na       0.5\nlonger  -\n");
  EXPECT_EQ(to_text(table, 1), "name  dice\na     0.5\n... and 1 more rows\n");
}

}  // namespace
}  // namespace proxytune::core
