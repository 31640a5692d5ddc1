#include "proxytune/study/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::study {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> stages{"preprocess", "rank", "sweep", "search", "train"};

FieldClasses classes() {
  return {{{"training", {Effect::invalidates, {"sweep", "search", "train"}}},
           {"training.device", {Effect::none, {}}},
           {"similarity", {Effect::invalidates, {"rank"}}},
           {"search.trials", {Effect::extends, {}}},
           {"compute", {Effect::none, {}}}},
          stages};
}

std::string refusal_of(const Fields& before, const Fields& after) {
  try {
    require_accepted(compare(before, after, classes()), stages, false);
  } catch (const core::ConfigurationError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ChangesTest, EqualStudiesDifferInNothing) {
  EXPECT_TRUE(compare({{"a", "1"}}, {{"a", "1"}}, classes()).empty());
  EXPECT_TRUE(compare({}, {}, classes()).empty());
}

TEST(ChangesTest, TheLongestPrefixDecides) {
  EXPECT_EQ(classes().of("training.loss").effect, Effect::invalidates);
  EXPECT_EQ(classes().of("training.device").effect, Effect::none);
  EXPECT_EQ(classes().of("training.device.index").effect, Effect::none);
  EXPECT_EQ(classes().of("compute").effect, Effect::none);
}

TEST(ChangesTest, AFieldThatNobodyClassedInvalidatesEverything) {
  EXPECT_THAT(classes().of("trainings.x").stages,
              ElementsAre(stages[0], "rank", "sweep", "search", "train"));
}

TEST(ChangesTest, ExtensionsAndComputeAreAcceptedSilently) {
  EXPECT_EQ(refusal_of({{"search.trials", "6"}, {"compute.ranks", "1"}},
                       {{"search.trials", "10"}, {"compute.ranks", "2"}}),
            "accepted");
}

TEST(ChangesTest, TheRefusalSaysWhatWasWhatIsAndWhatToDo) {
  EXPECT_EQ(
      refusal_of({{"training.epochs", "40"}}, {{"training.epochs", "50"}}),
      "training.epochs was 40 and is 50, which invalidates sweep, search and train: repeat "
      "the command with --accept-changes to do that again, or choose another "
      "output.folder");
}

TEST(ChangesTest, SeveralChangesNameTheirStagesOnceAndInTheStudysOrder) {
  const auto changes = compare({{"training.loss", "dice"}, {"similarity.bins", "64"}},
                               {{"similarity.bins", "32"}, {"training.patch", "[8, 8, 8]"}},
                               classes());
  EXPECT_EQ(changes.size(), 3U);
  EXPECT_THAT(invalidated_stages(changes, stages),
              ElementsAre("rank", "sweep", "search", "train"));
}

TEST(ChangesTest, NewAndVanishedFieldsAreSaid) {
  EXPECT_THAT(
      refusal_of({{"training.a", ""}}, {{"training.b", "2"}}),
      ::testing::StartsWith("training.a was empty and is gone, training.b is new (2), "));
}

TEST(ChangesTest, ManyChangesAreCounted) {
  Fields before;
  Fields after;
  for (int i = 0; i < 5; ++i) {
    before["training.f" + std::to_string(i)] = "1";
    after["training.f" + std::to_string(i)] = "2";
  }
  EXPECT_THAT(refusal_of(before, after),
              ::testing::HasSubstr(", and 2 more fields changed, which"));
}

TEST(ChangesTest, AcceptedChangesPass) {
  EXPECT_NO_THROW(require_accepted(
      compare({{"training.epochs", "40"}}, {{"training.epochs", "50"}}, classes()),
      stages,
      true));
}

TEST(NumericsTest, AreFrozenUnlessTheUserSaysOtherwise) {
  const Fields frozen{{"precision", "float32"}, {"threads_per_trial", "1"}};
  Fields present = frozen;
  EXPECT_TRUE(require_same_numerics(frozen, present, false).empty());
  present["threads_per_trial"] = "4";
  try {
    require_same_numerics(frozen, present, false);
    FAIL() << "other numerics were accepted";
  } catch (const core::ConfigurationError& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("threads_per_trial was 1 and is 4, but "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--accept-other-numerics,"));
  }
  EXPECT_EQ(require_same_numerics(frozen, present, true).size(), 1U);
}

}  // namespace
}  // namespace proxytune::study
