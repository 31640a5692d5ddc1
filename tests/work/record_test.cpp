#include "proxytune/work/record.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

TEST(RecordTest, TextHasSortedNamesAndOneLine) {
  const Record record = Record()
                            .set("b", std::int64_t{1})
                            .set("a", 1.0)
                            .set("c", std::string("x\ny\"ä"))
                            .set("d", true);
  EXPECT_EQ(to_json(record), R"({"a":1.0,"b":1,"c":"x\ny\"ä","d":true})");
}

TEST(RecordTest, KeepsEveryTypeOnTheWayThroughText) {
  Record record;
  record.set("truth", false)
      .set("integer", std::numeric_limits<std::int64_t>::min())
      .set("largest", std::numeric_limits<std::int64_t>::max())
      .set("whole", 3.0)
      .set("negative_zero", -0.0)
      .set("tenth", 0.1)
      .set("tiny", std::numeric_limits<double>::denorm_min())
      .set("huge", std::numeric_limits<double>::max())
      .set("infinite", -infinity)
      .set("text", std::string())
      .set("integers", std::vector<std::int64_t>{1, -2})
      .set("numbers", std::vector<double>{1, 1.0 / 3, infinity})
      .set("texts", std::vector<std::string>{"", "nan"})
      .set("no_integers", std::vector<std::int64_t>{})
      .set("no_numbers", std::vector<double>{})
      .set("no_texts", std::vector<std::string>{});
  const Record back = from_json(to_json(record));
  EXPECT_EQ(back, record);
  EXPECT_TRUE(std::signbit(back.number("negative_zero")));
  EXPECT_EQ(to_json(back), to_json(record));
}

TEST(RecordTest, KeepsWhatIsNoNumber) {
  const Record record =
      Record().set("x", not_a_number).set("y", std::vector<double>{not_a_number, 2, infinity});
  EXPECT_EQ(to_json(record),
            R"({"x":{"number":"nan"},"y":[{"number":"nan"},2.0,{"number":"inf"}]})");
  const Record back = from_json(to_json(record));
  EXPECT_TRUE(std::isnan(back.number("x")));
  EXPECT_TRUE(std::isnan(back.numbers("y")[0]));
  EXPECT_EQ(back.numbers("y")[2], infinity);
}

TEST(RecordTest, RefusesTheWrongNameOrType) {
  const Record record = Record().set("a", std::int64_t{2}).set("b", 2.5);
  EXPECT_EQ(record.number("a"), 2.0);
  EXPECT_THROW(record.integer("b"), core::DataError);
  EXPECT_THROW(record.text("a"), core::DataError);
  EXPECT_THROW(record.boolean("c"), core::DataError);
}

TEST(RecordTest, RefusesTextThatItDoesNotWrite) {
  for (const char* text : {"",
                           "1",
                           "[]",
                           "{",
                           R"({"a":1} x)",
                           R"({"a":null})",
                           R"({"a":[]})",
                           R"({"a":[1,2.0]})",
                           R"({"a":["x",1]})",
                           R"({"a":[[1]]})",
                           R"({"a":{}})",
                           R"({"a":{"number":"many"}})",
                           R"({"a":{"number":1.0}})",
                           R"({"a":{"texts":["x"]}})",
                           R"({"a":18446744073709551615})",
                           R"({"a":1,"a":2})"})
    EXPECT_THROW(from_json(text), core::DataError) << text;
}

TEST(RecordTest, RefusesTextThatIsNotUtf8) {
  EXPECT_THROW(to_json(Record().set("a", std::string("\xff"))), core::DataError);
}

}  // namespace
}  // namespace proxytune::work
