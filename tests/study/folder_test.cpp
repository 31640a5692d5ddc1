#include "proxytune/study/folder.h"

#include <cstdlib>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

#include "tests/support/temporary_folder.h"

namespace proxytune::study {
namespace {

using test::TemporaryFolder;

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const core::ConfigurationError& error) {
    return error.what();
  }
  return "no refusal";
}

TEST(StudyFolderTest, IsMadeOnceAndOpenedAgain) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out" / "study";
  EXPECT_TRUE(StudyFolder::open(path, "a").is_new());
  const StudyFolder again = StudyFolder::open(path, "a");
  EXPECT_FALSE(again.is_new());
  for (const auto& part :
       {again.journal(), again.cache(), again.weights(), again.checkpoints()})
    EXPECT_TRUE(std::filesystem::is_directory(part));
}

TEST(StudyFolderTest, RemembersFieldsExactly) {
  const TemporaryFolder folder;
  const StudyFolder study = StudyFolder::open(folder.path(), "a");
  EXPECT_EQ(study.fields("resolved"), std::nullopt);
  const Fields fields{{"a.b", "1e-3"}, {"text", "say \"ä\"\n"}, {"empty", ""}};
  study.save_fields("resolved", fields);
  study.save_fields("numerics", {});
  EXPECT_EQ(StudyFolder::open(folder.path(), "a").fields("resolved"), fields);
  EXPECT_EQ(study.fields("numerics"), Fields{});
  std::ofstream(folder.path() / "resolved.json") << "{\"torn\": ";
  EXPECT_THROW(study.fields("resolved"), core::DataError);
}

TEST(StudyFolderTest, OfAnotherStudyIsRefused) {
  const TemporaryFolder folder;
  StudyFolder::open(folder.path(), "liver");
  EXPECT_THAT(
      refusal_of([&] { StudyFolder::open(folder.path(), "spleen"); }),
      HasSubstr("holds another study (liver, this one is spleen); choose another folder"));
}

TEST(StudyFolderTest, OfANewerFormatIsRefused) {
  const TemporaryFolder folder;
  core::write_file_atomically(
      folder.path() / "study.json",
      R"({"format": "proxytune study", "format_version": 9, "study_id": "a"})");
  EXPECT_THAT(refusal_of([&] { StudyFolder::open(folder.path(), "a"); }),
              HasSubstr("newer proxytune (format 9"));
}

TEST(StudyFolderTest, WithForeignFilesAndNoStudyIsRefusedAndLeftAlone) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "thesis.tex") << "x";
  EXPECT_THAT(refusal_of([&] { StudyFolder::open(folder.path(), "a"); }),
              AllOf(HasSubstr("thesis.tex"), HasSubstr("choose a new or empty folder")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "journal"));
}

TEST(StudyFolderTest, ADamagedIdentityIsSaid) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "study.json") << "";
  EXPECT_THROW(StudyFolder::open(folder.path(), "a"), core::DataError);
  std::ofstream(folder.path() / "study.json") << R"({"format": "proxytune study"})";
  EXPECT_THROW(StudyFolder::open(folder.path(), "a"), core::DataError);
}

TEST(StudyFolderTest, OfWhichTheParentIsAFileOrForbiddenIsRefused) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  EXPECT_THAT(refusal_of([&] { StudyFolder::open(folder.path() / "file" / "out", "a"); }),
              HasSubstr("cannot be made or read: Not a directory"));
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const bool is_root = ::geteuid() == 0;
  const bool lowered = is_root && ::seteuid(65534) == 0;
  const std::string said = refusal_of([&] { StudyFolder::open(folder.path() / "new", "a"); });
  if (lowered && ::seteuid(0) != 0)
    std::abort();
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  EXPECT_THAT(said, HasSubstr("Permission denied; give yourself the right"));
}

}  // namespace
}  // namespace proxytune::study
