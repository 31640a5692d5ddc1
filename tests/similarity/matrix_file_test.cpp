#include "proxytune/similarity/matrix_file.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

const std::string key(32, 'k');

class MatrixFileTest : public testing::Test {
 protected:
  MatrixFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "matrix_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~MatrixFileTest() override { std::filesystem::remove_all(folder_); }

  /// 3 x 2, by two writers, rows in no order.
  MatrixFile written() const {
    MatrixFile file(path(), key, 3, 2);
    file.begin();
    MatrixFile::Writer first(file);
    MatrixFile::Writer second(file);
    first.write_row(2, std::vector<double>{5, 6});
    second.write_row(1, std::vector<double>{3, -0.0});
    first.write_row(0, std::vector<double>{1.0 / 3, 2});
    first.finish();
    second.finish();
    return file;
  }
  std::filesystem::path path() const { return folder_ / "all.matrix"; }
  std::filesystem::path folder_;
};

TEST_F(MatrixFileTest, IsThereOnceItIsPublished) {
  const MatrixFile file = written();
  EXPECT_FALSE(file.valid());
  EXPECT_THROW(file.map(), core::DataError);
  file.publish();
  EXPECT_TRUE(file.valid());
  const PairMatrix matrix = file.map();
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.columns, 2);
  EXPECT_EQ(matrix.values, (core::Doubles{1.0 / 3, 2, 3, -0.0, 5, 6}));
}

TEST_F(MatrixFileTest, OutlivesItsFile) {
  const MatrixFile file = written();
  file.publish();
  const PairMatrix matrix = file.map();
  file.begin();
  EXPECT_FALSE(file.valid());
  EXPECT_EQ(matrix.at(2, 1), 6);
}

TEST_F(MatrixFileTest, KnowsOtherTilesAnotherSizeAndEveryChangedByte) {
  const MatrixFile file = written();
  file.publish();
  EXPECT_FALSE(MatrixFile(path(), std::string(32, 'j'), 3, 2).valid());
  EXPECT_FALSE(MatrixFile(path(), key, 2, 3).valid());
  EXPECT_THROW(MatrixFile(path(), key, 2, 2).map(), core::DataError);
  EXPECT_THROW(MatrixFile(path(), std::string(32, 'j'), 3, 2).map(), core::DataError);
  const auto bytes = static_cast<int>(std::filesystem::file_size(path()));
  for (int place = 0; place < bytes; ++place) {
    std::fstream stream(path(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(place);
    const int before = stream.get();
    stream.seekp(place);
    stream.put(static_cast<char>(before ^ 0x40));
    stream.flush();
    EXPECT_FALSE(file.valid()) << "byte " << place;
    stream.seekp(place);
    stream.put(static_cast<char>(before));
  }
  EXPECT_TRUE(file.valid());
  std::filesystem::resize_file(path(), static_cast<std::uintmax_t>(bytes - 1));
  EXPECT_FALSE(file.valid());
}

TEST_F(MatrixFileTest, MissesARowThatNobodyWrote) {
  const MatrixFile file(path(), key, 2, 2);
  file.begin();
  MatrixFile::Writer(file).write_row(0, std::vector<double>{1, 2});
  file.publish();
  EXPECT_FALSE(file.valid());
}

TEST_F(MatrixFileTest, TakesNoVolumes) {
  const MatrixFile file(path(), key, 0, 0);
  file.begin();
  file.publish();
  EXPECT_TRUE(file.valid());
  EXPECT_TRUE(file.map().values.empty());
}

TEST_F(MatrixFileTest, SaysWhereTheDiskRefuses) {
  const MatrixFile nowhere(folder_ / "none" / "all.matrix", key, 1, 1);
  EXPECT_THROW(nowhere.begin(), core::SystemError);
  EXPECT_THROW(MatrixFile::Writer writer(nowhere), core::SystemError);
  EXPECT_THROW(nowhere.publish(), core::SystemError);
}

}  // namespace
}  // namespace proxytune::similarity
