#include "proxytune/similarity/tile_files.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

class TileFilesTest : public testing::Test {
 protected:
  TileFilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tiles_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~TileFilesTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(TileFilesTest, GivesBackWhatOtherLaunchesAndRanksKept) {
  const TileValues tiles[] = {{1.0 / 3, 2, -0.0}, {}, {4, 5}};
  std::vector<work::Record> records;
  {
    TileFiles files(folder_ / "pairs", "launch0", 3);
    for (const TileValues& tile : tiles)
      records.push_back(files.keep(tile));
  }
  const TileFiles later(folder_ / "pairs", "launch1", 0);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(later.read(work::from_json(work::to_json(records[i]))), tiles[i]);
}

TEST_F(TileFilesTest, NamesAMissingAndADamagedTile) {
  TileFiles files(folder_, "launch", 0);
  const work::Record record = files.keep({1, 2, 3});
  const auto file = folder_ / "launch-0.tiles";
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(9);
    stream.put('x');
  }
  EXPECT_THROW(files.read(record), core::DataError);
  std::filesystem::resize_file(file, 20);
  EXPECT_THROW(files.read(record), core::DataError);
  std::filesystem::remove(file);
  try {
    files.read(record);
    ADD_FAILURE() << "a tile was read from a file that is gone";
  } catch (const core::DataError& error) {
    // There is nothing left to remove.
    EXPECT_NE(std::string(error.what()).find("is missing; its tiles are computed again"),
              std::string::npos);
  }
}

TEST_F(TileFilesTest, WhatCannotBeReadIsNotCalledDamaged) {
  TileFiles files(folder_, "launch", 0);
  work::Record record = files.keep({1});
  std::filesystem::create_directory(folder_ / "folder.tiles");
  record.set("file", std::string("folder.tiles"));
  EXPECT_THROW(files.read(record), core::SystemError);
}

TEST_F(TileFilesTest, NeverWritesIntoAnEarlierFile) {
  TileFiles(folder_, "launch", 0).keep({1});
  EXPECT_THROW(TileFiles(folder_, "launch", 0).keep({2}), core::SystemError);
}

}  // namespace
}  // namespace proxytune::similarity
