#include "proxytune/datasets/splits.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/datasets/leaks.h"

#include "tests/support/image_folder.h"

namespace proxytune::datasets {
namespace {

using test::ImageFolder;
using test::sentence_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RandomSplitTest, NeverDividesAGroupAndFollowsTheNamesOnly) {
  std::vector<std::string> groups;
  for (int i = 0; i < 30; ++i)
    groups.push_back(std::to_string(i / (1 + i % 3)));
  std::set<std::vector<int>> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = random_split(groups, 10, core::RandomKey(seed));
    EXPECT_EQ(split.training.size() + split.validation.size(), 30U);
    EXPECT_LE(split.validation.size(), 10U);
    EXPECT_GE(split.validation.size(), 8U);
    std::set<std::string> validated;
    for (const int i : split.validation)
      validated.insert(groups[static_cast<std::size_t>(i)]);
    for (const int i : split.training)
      EXPECT_FALSE(validated.contains(groups[static_cast<std::size_t>(i)]));
    seen.insert(split.validation);
    std::vector<std::string> turned(groups.rbegin(), groups.rend());
    for (const int i : random_split(turned, 10, core::RandomKey(seed)).validation)
      EXPECT_TRUE(validated.contains(turned[static_cast<std::size_t>(i)]));
  }
  EXPECT_GT(seen.size(), 15U);
}

TEST(RandomSplitTest, GivesTheExactCountWithoutGroups) {
  std::vector<std::string> groups;
  for (int i = 0; i < 11; ++i)
    groups.push_back(std::to_string(i));
  for (int count = 1; count < 11; ++count)
    EXPECT_EQ(random_split(groups, count, core::RandomKey(3)).validation.size(),
              static_cast<std::size_t>(count));
  EXPECT_THROW(random_split(groups, 0, core::RandomKey(3)), core::ConfigurationError);
  EXPECT_THROW(random_split(groups, 11, core::RandomKey(3)), core::ConfigurationError);
}

TEST(RandomSplitTest, TakesOneGroupWhereEveryGroupIsLarger) {
  const std::vector<std::string> groups = {"a", "a", "a", "b", "b", "b", "b"};
  EXPECT_THAT(random_split(groups, 1, core::RandomKey(1)).validation, ElementsAre(0, 1, 2));
  EXPECT_THROW(random_split(std::vector<std::string>{"a", "a"}, 1, core::RandomKey(1)),
               core::ConfigurationError);
}

TEST(ValidationCountTest, RoundsAndLeavesACaseOnBothSides) {
  EXPECT_EQ(validation_count(41, 0.2), 8);
  EXPECT_EQ(validation_count(3, 0.01), 1);
  EXPECT_EQ(validation_count(3, 0.99), 2);
}

TEST(ReadSplitsTest, TakesBothSpellingsAndRefusesMistakes) {
  const ImageFolder folder;
  std::vector<Case> cases;
  for (const char* id : {"a1", "a2", "b1", "c1"})
    cases.push_back({id, {}, {}, std::string(1, id[0])});
  const auto read = [&](const std::string& text) {
    return read_splits(folder.write("splits.json", text), cases);
  };
  const auto splits = read(
      R"([{"training": ["b1", "a2"], "validation": ["c1"]}, {"train": ["c1"], "val": ["a2", "a1"]}])");
  ASSERT_EQ(splits.size(), 2U);
  EXPECT_THAT(splits[0].training, ElementsAre(1, 2));
  EXPECT_THAT(splits[1].validation, ElementsAre(0, 1));
  const auto refusal = [&](const std::string& text) {
    return sentence_of<core::DataError>([&] { read(text); });
  };
  EXPECT_THAT(refusal(R"([{"train": ["b2"], "val": ["c1"]}])"), HasSubstr("did you mean"));
  EXPECT_THAT(refusal(R"([{"train": ["b1"], "val": ["b1"]}])"), HasSubstr("b1 twice"));
  EXPECT_THAT(refusal(R"([{"train": ["a1"], "val": ["a2"]}])"),
              AllOf(HasSubstr("split 1"), HasSubstr("both of group a")));
  EXPECT_THAT(refusal(R"([{"train": ["a1"], "val": []}])"), HasSubstr("no ids"));
  EXPECT_THAT(refusal(R"({})"), HasSubstr("no list of splits"));
}

TEST(LeaksTest, EqualContentStopsTheStudyAndListsThePairs) {
  const std::vector<CaseIdentity> internal = {
      {"a", "a", "1"}, {"b", "b", "2"}, {"c", "c", "2"}};
  const std::vector<CaseIdentity> external = {{"x", "x", "3"}, {"y", "y", "2"}};
  refuse_leaks(internal, {external[0]});
  EXPECT_THAT(sentence_of<core::DataError>([&] { refuse_leaks(internal, external); }),
              AllOf(HasSubstr("b = y, c = y"), HasSubstr("external")));
  EXPECT_EQ(find_duplicates(internal).size(), 1U);
  EXPECT_THAT(sentence_of<core::DataError>([&] { refuse_divided_duplicates(internal); }),
              HasSubstr("b = c"));
  refuse_divided_duplicates({{"b", "p", "2"}, {"c", "p", "2"}});
}

}  // namespace
}  // namespace proxytune::datasets
