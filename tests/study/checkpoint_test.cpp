#include "proxytune/study/checkpoint.h"

#include <cstdio>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/files.h"

#include "tests/support/temporary_folder.h"

namespace proxytune::study {
namespace {

using test::TemporaryFolder;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Fields here{{"libtorch", "2.11"}, {"device", "cpu"}};

struct Read {
  std::optional<std::string> state;
  std::string warnings;
};

/// What read() gives and says.
Read read(const CheckpointFile& file) {
  std::FILE* const said = std::tmpfile();
  Read result{file.read(core::Log::for_streams(0, 1, said, said)), ""};
  std::rewind(said);
  for (int c = std::fgetc(said); c != EOF; c = std::fgetc(said))
    result.warnings += static_cast<char>(c);
  std::fclose(said);
  return result;
}

void overwrite(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

TEST(CheckpointFileTest, GivesBackTheNewestState) {
  const TemporaryFolder folder;
  const CheckpointFile file(folder.path(), "k1", here);
  EXPECT_EQ(read(file).state, std::nullopt);
  for (const std::string& state :
       {std::string(), std::string("one\0\n", 5), std::string("two")}) {
    file.write(state);
    EXPECT_EQ(read(file).state, state);
    EXPECT_THAT(read(file).warnings, IsEmpty());
  }
  EXPECT_THAT(checkpointed(folder.path()), ElementsAre("k1"));
  file.remove();
  EXPECT_EQ(read(file).state, std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckpointFileTest, DamageAnywhereFallsBackToTheOneBefore) {
  const TemporaryFolder folder;
  const CheckpointFile file(folder.path(), "k", here);
  file.write("before");
  file.write("newest");
  const auto newest = folder.path() / "k.checkpoint";
  const std::string whole = core::read_file(newest);
  const auto expect_fallback = [&](const std::string& text) {
    overwrite(newest, text);
    const Read found = read(file);
    EXPECT_EQ(found.state, "before");
    EXPECT_THAT(found.warnings,
                HasSubstr("k.checkpoint is damaged; the one before it is tried"));
  };
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ 0x20);
    expect_fallback(flipped);
    expect_fallback(whole.substr(0, place));
  }
  expect_fallback(whole + "x");
  overwrite(folder.path() / "k.previous", "");
  const Read none = read(file);
  EXPECT_EQ(none.state, std::nullopt);
  EXPECT_THAT(none.warnings, HasSubstr("k.previous is damaged; its work begins anew"));
}

TEST(CheckpointFileTest, AKillBetweenTheRenamesLosesNothing) {
  const TemporaryFolder folder;
  const CheckpointFile file(folder.path(), "k", here);
  file.write("one");
  std::filesystem::rename(folder.path() / "k.checkpoint", folder.path() / "k.previous");
  overwrite(folder.path() / "k.checkpoint.tmp", "torn");
  EXPECT_EQ(read(file).state, "one");
  EXPECT_THAT(read(file).warnings, IsEmpty());
  file.remove();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckpointFileTest, AKillDuringTheFirstWriteLeavesAFileThatCountsAndGoes) {
  const TemporaryFolder folder;
  const CheckpointFile file(folder.path(), "k", here);
  EXPECT_FALSE(file.exists());
  overwrite(folder.path() / "k.checkpoint.tmp", "torn");
  EXPECT_EQ(read(file).state, std::nullopt);
  // Otherwise whoever finishes the trial would leave it there.
  EXPECT_TRUE(file.exists());
  file.remove();
  EXPECT_FALSE(file.exists());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckpointFileTest, IgnoresAnotherPieceAndOtherNumericsAndSaysSo) {
  const TemporaryFolder folder;
  CheckpointFile(folder.path(), "k", here).write("state");
  Fields elsewhere = here;
  elsewhere["libtorch"] = "2.12";
  const Read other = read(CheckpointFile(folder.path(), "k", elsewhere));
  EXPECT_EQ(other.state, std::nullopt);
  EXPECT_THAT(other.warnings,
              HasSubstr("was made under other conditions (\"libtorch: 2.11\" instead of "
                        "\"libtorch: 2.12\"); its work begins anew"));
  std::filesystem::rename(folder.path() / "k.checkpoint", folder.path() / "other.checkpoint");
  const Read foreign = read(CheckpointFile(folder.path(), "other", here));
  EXPECT_EQ(foreign.state, std::nullopt);
  EXPECT_THAT(foreign.warnings, HasSubstr("\"key: k\" instead of \"key: other\""));
}

TEST(CheckpointFileTest, ADiskThatRefusesIsASystemErrorAndKeepsWhatThereIs) {
  const TemporaryFolder folder;
  const CheckpointFile file(folder.path(), "k", here);
  file.write("kept");
  std::filesystem::create_directory(folder.path() / "k.checkpoint.tmp");
  EXPECT_THROW(file.write("lost"), core::SystemError);
  EXPECT_EQ(read(file).state, "kept");
}

}  // namespace
}  // namespace proxytune::study
