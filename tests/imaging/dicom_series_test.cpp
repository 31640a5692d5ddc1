#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/imaging/grid.h"
#include "proxytune/imaging/io.h"

#include "tests/support/dicom_slice.h"
#include "tests/support/image_folder.h"

namespace proxytune::imaging {
namespace {

using test::DicomSlice;
using test::ImageFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int slices = 6;
constexpr double distance = 2.5;

/// Slice z of an oblique series; its voxels count through the volume.
DicomSlice slice(int z) {
  DicomSlice one;
  one.number = z + 1;
  one.orientation = {0.8, 0.6, 0, -0.6, 0.8, 0};
  one.position = {-10, 20, 5 + z * distance};
  for (int i = 0; i < one.rows * one.columns; ++i)
    one.voxels.push_back(static_cast<std::int16_t>(z * 1000 + i));
  return one;
}

/// Names that sort in another order than the slices lie.
std::string file_name(int z) {
  return "IM" + std::to_string((z * 5) % 7) + ".dcm";
}

void write_series(const ImageFolder& folder) {
  for (int z = 0; z < slices; ++z)
    folder.write(file_name(z), dicom_file(slice(z)));
}

std::string refusal(const ImageFolder& folder) {
  ::testing::internal::CaptureStderr();
  const std::string sentence =
      test::sentence_of<core::DataError>([&] { read_image({folder.path()}, {}); });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(sentence.rfind(folder.path().string(), 0), 0U) << sentence;
  return sentence;
}

TEST(DicomSeriesTest, IsAVolumeWhateverItsFilesAreCalled) {
  const ImageFolder folder;
  write_series(folder);
  folder.write("README.txt", "scanned on a Monday\n");
  const Volume image = read_image({folder.path()}, {});
  const Shape shape{.z = slices, .y = 4, .x = 5};
  ASSERT_EQ(image.shape, shape);
  for (int z = 0; z < slices; ++z)
    for (int i = 0; i < 20; ++i)
      ASSERT_EQ(image.voxels[static_cast<std::size_t>(z * 20 + i)],
                static_cast<float>(z * 1000 + i));
  const Geometry wanted{
      {1.5, 0.75, distance}, {-10, 20, 5}, {{{0.8, -0.6, 0}, {0.6, 0.8, 0}, {0, 0, 1}}}};
  const auto difference = grid_difference(shape, wanted, image.shape, image.geometry, 1e-6);
  EXPECT_FALSE(difference) << *difference;
  EXPECT_EQ(read_header(folder.path()).shape, shape);
  EXPECT_EQ(read_labels(folder.path()).voxels[0], 0);
}

TEST(DicomSeriesTest, ScalesEverySliceByItsOwnSlope) {
  const ImageFolder folder;
  for (int z = 0; z < slices; ++z) {
    DicomSlice one = slice(z);
    one.slope = z == 2 ? 0.5 : 1;
    one.intercept = -1024;
    folder.write(file_name(z), dicom_file(one));
  }
  const Volume image = read_image({folder.path()}, {});
  EXPECT_EQ(image.voxels[1], -1023);
  EXPECT_EQ(image.voxels[2 * 20 + 1], 2001 * 0.5F - 1024);
}

TEST(DicomSeriesTest, RefusesAFolderOfNoneAndOfSeveral) {
  const ImageFolder folder;
  folder.write("README.txt", "no images yet\n");
  EXPECT_THAT(refusal(folder),
              AllOf(HasSubstr("folder without a DICOM series"), HasSubstr("NIfTI")));
  write_series(folder);
  for (int z = 0; z < 3; ++z) {
    DicomSlice other = slice(z);
    other.series = "1.2.4";
    other.description = "localizer";
    folder.write("other" + std::to_string(z), dicom_file(other));
  }
  EXPECT_THAT(refusal(folder),
              AllOf(HasSubstr("holds 2 DICOM series"),
                    HasSubstr("\"axial\" (1.2.3, 6 files)"),
                    HasSubstr("\"localizer\" (1.2.4, 3 files)")));
}

TEST(DicomSeriesTest, RefusesSlicesThatAreNoGrid) {
  const ImageFolder folder;
  write_series(folder);
  std::filesystem::remove(folder / file_name(2));
  EXPECT_THAT(refusal(folder), HasSubstr("unevenly spaced slices (5.0"));
  folder.write(file_name(2), dicom_file(slice(2)));
  DicomSlice twice = slice(3);
  twice.number = 9;
  folder.write("twice", dicom_file(twice));
  EXPECT_THAT(refusal(folder), HasSubstr("two slices at one place"));
  std::filesystem::remove(folder / "twice");
  for (int z = 0; z < slices; ++z) {
    DicomSlice tilted = slice(z);
    tilted.position[0] += 0.4 * z;
    folder.write(file_name(z), dicom_file(tilted));
  }
  EXPECT_THAT(refusal(folder), HasSubstr("tilted gantry"));
}

TEST(DicomSeriesTest, RefusesATruncatedSlice) {
  const ImageFolder folder;
  write_series(folder);
  const auto file = folder / file_name(1);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 20);
  const std::string sentence =
      test::sentence_of<core::DataError>([&] { read_image({folder.path()}, {}); });
  EXPECT_THAT(sentence, AllOf(HasSubstr(file_name(1)), HasSubstr("truncated")));
}

}  // namespace
}  // namespace proxytune::imaging
