#include "jobs/study_options.h"

#include <gtest/gtest.h>

#include "jobs/early_stopping.h"
#include "jobs/searched_options.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

/// What is complained about, and why.
template <class Check>
std::string refused(const Check& check) {
  try {
    check();
  } catch (const core::FieldError& error) {
    return error.field() + " " + error.sentence();
  }
  return "nothing";
}

StudyOptions with_fidelity(const ArmOptions& arm) {
  StudyOptions study;
  study.networks = {{.name = "full", .unet = {.channels = 16}},
                    {.name = "full_too", .unet = {.channels = 16}},
                    {.name = "proxy", .unet = {.channels = 4}}};
  study.arms = {{.name = "mine", .data = ArmData::random, .budget = 8, .network = "full"}, arm};
  study.search.arms = {"mine"};
  study.training.validate_every = 1;
  study.search.options.halving =
      search::HalvingOptions{.rungs = {{.epochs = 2, .arm = arm.name}}, .reduction = 2};
  return study;
}

TEST(CheckEarlyStoppingTest, RefusesARungsArmThatIsTheSearchingArmByAnotherName) {
  ArmOptions arm{.name = "small", .data = ArmData::random, .budget = 8, .network = "full"};
  const auto check = [&] { return refused([&] { check_early_stopping(with_fidelity(arm)); }); };
  const std::string same =
      "search.halving.rungs.0.arm is \"small\", which has the same data and network as mine, "
      "which searches, so that its trials are the same and save nothing. Name an arm with a "
      "smaller budget or network, or leave the rung's arm out.";
  EXPECT_EQ(check(), same);
  arm.crop = similarity::Crop::none;  // of no meaning to random data
  EXPECT_EQ(check(), same);
  arm.network = "full_too";
  EXPECT_EQ(check(), same);
  arm.network = "proxy";
  EXPECT_EQ(check(), "nothing");
  arm.network = "full";
  arm.budget = 4;
  EXPECT_EQ(check(), "nothing");
  arm.budget = 8;
  arm.data = ArmData::proxy;
  EXPECT_EQ(check(), "nothing");
}

TEST(ResolvedSearchTest, RefusesTwoSpellingsOfOneChoice) {
  StudyOptions study;
  study.networks = {{.name = "full", .unet = {.channels = 4, .levels = 2}}};
  study.arms = {{.name = "mine", .network = "full"}};
  study.final_training.network = "full";
  study.search.options.space = {
      {.field = "training.patch", .choices = {"[32, 32, 32]", "[16, 16, 16]", "[32,32,32]"}}};
  EXPECT_EQ(refused([&] { resolved_search(study); }),
            "search.space.0.choices.2 is \"[32,32,32]\", the same value as \"[32, 32, 32]\". "
            "Leave one out.");
  study.search.options.space[0].choices.pop_back();
  EXPECT_EQ(refused([&] { resolved_search(study); }), "nothing");
}

}  // namespace
}  // namespace proxytune::jobs
