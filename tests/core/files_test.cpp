#include "proxytune/core/files.h"

#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/support/temporary_folder.h"

namespace proxytune::core {
namespace {

using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(FilesTest, AnAtomicWriteReplacesTheWholeText) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  write_file_atomically(file, std::string(100'000, 'x'));
  write_file_atomically(file, "short");
  EXPECT_EQ(read_file(file), "short");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(FilesTest, ANextGenerationLeavesThePreviousOneAndNothingElse) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  const auto previous = folder.path() / "a.previous";
  const std::array<std::string_view, 2> first{"one", "two"};
  write_next_generation(file, previous, first);
  EXPECT_FALSE(std::filesystem::exists(previous));
  const std::array<std::string_view, 1> second{"three"};
  write_next_generation(file, previous, second);
  EXPECT_EQ(read_file(file), "three");
  EXPECT_EQ(read_file(previous), "onetwo");
  EXPECT_EQ(files_in(folder.path()), 2U);
}

TEST(FilesTest, AWriteThatFailsLeavesNothingAndSaysTheFileAndWhatToDo) {
  const TemporaryFolder folder;
  try {
    write_file_atomically(folder.path() / "no" / "a", "");
    FAIL() << "there is no such folder";
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("no/a.tmp: cannot create the file: No such file"),
                      HasSubstr("check the folder")));
  }
  // A folder has the name that the file is to get.
  std::filesystem::create_directory(folder.path() / "taken");
  EXPECT_THROW(write_file_atomically(folder.path() / "taken", "text"), SystemError);
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(FilesTest, WhatCannotBeReadIsRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_file(folder.path() / "b"), DataError);
  EXPECT_THROW(read_file(folder.path()), DataError);
}

}  // namespace
}  // namespace proxytune::core
