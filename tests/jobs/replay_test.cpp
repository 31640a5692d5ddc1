#include "jobs/replay.h"

#include <gtest/gtest.h>

#include "jobs/study_changes.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

const search::ListedPoint adam{{"optimizer", "adam"}, {"weight_decay", "0.01"}};

TEST(PointsFromCsvTest, AreRowsByTheNamesOfTheFirstLine) {
  EXPECT_EQ(points_from_csv("optimizer,weight_decay\nadam,0.01\r\n\nnovograd,\n"),
            (std::vector<search::ListedPoint>{
                adam, {{"optimizer", "novograd"}, {"weight_decay", ""}}}));
  EXPECT_THROW(points_from_csv("optimizer,weight_decay\nadam\n"), core::DataError);
}

TEST(PointsFromCsvTest, MayBeginWithAByteOrderMark) {
  EXPECT_EQ(points_from_csv("\xEF\xBB\xBFoptimizer,weight_decay\nadam,0.01\n"),
            std::vector<search::ListedPoint>{adam});
}

std::vector<std::string> invalidated(const study::Fields& before, const study::Fields& after) {
  return study::invalidated_stages(changes_between(before, after), stages());
}

TEST(ChangesOfAReplayedListTest, InvalidateWhatIsDoneOnlyWhereATrialIsAnother) {
  const std::string arm = std::string(replayed_trials) + "all.full.";
  const study::Fields two{{arm + "0", "a"}, {arm + "1", "b"}};
  const study::Fields three{{arm + "0", "a"}, {arm + "1", "b"}, {arm + "2", "c"}};
  const study::Fields other{{arm + "0", "a"}, {arm + "1", "c"}};
  EXPECT_TRUE(invalidated(two, three).empty());
  EXPECT_TRUE(invalidated(three, two).empty());
  EXPECT_EQ(invalidated(three, other), (std::vector<std::string>{"search", "train"}));
}

}  // namespace
}  // namespace proxytune::jobs
