#include "proxytune/imaging/io.h"

#include <algorithm>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/imaging/grid.h"

#include "tests/support/image_folder.h"

namespace proxytune::imaging {
namespace {

using test::counting_volume;
using test::ImageFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const std::filesystem::path& file) {
  ::testing::internal::CaptureStderr();
  const std::string sentence =
      test::sentence_of<core::DataError>([&] { read_image({file}, {}); });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
  EXPECT_EQ(sentence.rfind(file.string(), 0), 0U) << sentence;
  return sentence;
}

class FormatTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FormatTest, ReadsBackWhatItWroteOnAnObliqueGrid) {
  const ImageFolder folder;
  const Volume image = counting_volume({.z = 3, .y = 4, .x = 5});
  write_image(folder / ("image" + GetParam()), image);
  const Volume read = read_image({folder / ("image" + GetParam())}, {});
  EXPECT_EQ(read.voxels, image.voxels);
  const auto difference =
      grid_difference(image.shape, image.geometry, read.shape, read.geometry, 1e-6);
  EXPECT_FALSE(difference.has_value()) << *difference;
}

TEST_P(FormatTest, ChoosesChannelsOfAFourDimensionalFile) {
  const ImageFolder folder;
  const Volume image = counting_volume({.z = 3, .y = 4, .x = 5}, 3);
  const auto file = folder / ("image" + GetParam());
  write_image(file, image);
  EXPECT_EQ(read_header(file).channels, 3);
  EXPECT_EQ(read_image({file}, {}).voxels, image.voxels);
  const Volume chosen = read_image({file}, {2, 0});
  EXPECT_EQ(chosen.channels, 2);
  EXPECT_TRUE(std::ranges::equal(chosen.channel(0), image.channel(2)));
  EXPECT_TRUE(std::ranges::equal(chosen.channel(1), image.channel(0)));
  EXPECT_THAT(test::sentence_of<core::DataError>([&] { read_image({file}, {3}); }),
              HasSubstr("no channel 3"));
}

TEST_P(FormatTest, RefusesATruncatedFile) {
  const ImageFolder folder;
  const auto file = folder / ("image" + GetParam());
  write_image(file, counting_volume({.z = 20, .y = 20, .x = 20}));
  for (const double share : {0.9, 0.5, 0.05}) {
    const auto size = static_cast<double>(std::filesystem::file_size(file));
    std::filesystem::resize_file(file, static_cast<std::uintmax_t>(size * share));
    EXPECT_NE(refusal(file), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Formats,
                         FormatTest,
                         ::testing::Values(".nii.gz", ".nii", ".nrrd", ".mha"),
                         [](const auto& format) {
                           return format.param == ".nii.gz" ? "compressed_nifti"
                                                            : format.param.substr(1);
                         });

TEST(ReadImageTest, TakesOneFileAChannel) {
  const ImageFolder folder;
  const Volume both = counting_volume({.z = 3, .y = 4, .x = 5}, 2);
  for (int c = 0; c < 2; ++c) {
    Volume one = both;
    one.channels = 1;
    one.voxels.assign(both.channel(c).begin(), both.channel(c).end());
    write_image(folder / (std::to_string(c) + ".nii.gz"), one);
  }
  const std::vector<std::filesystem::path> files = {folder / "0.nii.gz", folder / "1.nii.gz"};
  EXPECT_EQ(read_image(files, {}).voxels, both.voxels);
  EXPECT_TRUE(std::ranges::equal(read_image(files, {1}).voxels, both.channel(1)));
  Volume moved = counting_volume({.z = 3, .y = 4, .x = 5});
  moved.geometry.origin[0] += 0.5;
  write_image(folder / "1.nii.gz", moved);
  EXPECT_THAT(test::sentence_of<core::DataError>([&] { read_image(files, {}); }),
              AllOf(HasSubstr("1.nii.gz"), HasSubstr("origin differs by 0.5 mm along x")));
}

TEST(ReadImageTest, RefusesWhatIsNoImage) {
  const ImageFolder folder;
  EXPECT_THAT(refusal(folder / "none.nii.gz"), HasSubstr("does not exist"));
  EXPECT_THAT(refusal(folder.write("text.nii.gz", "not an image\n")),
              HasSubstr("not an image in a known format"));
  EXPECT_THAT(refusal(folder.write("empty.nii.gz", "")), HasSubstr("not an image"));
  EXPECT_THAT(refusal(folder.write("text.nrrd", "some words\n")), HasSubstr("not an image"));
  EXPECT_THAT(refusal(folder.write("text.mha", "some words\n")), HasSubstr("text.mha"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("is a folder without"));
}

TEST(ReadImageTest, RefusesVoxelsThatCannotBeUsed) {
  const ImageFolder folder;
  Volume image = counting_volume({.z = 3, .y = 4, .x = 5});
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    image.voxels[7] = bad;
    write_image(folder / "bad.nii.gz", image);
    EXPECT_THAT(refusal(folder / "bad.nii.gz"), HasSubstr("NaN or infinite"));
  }
  std::fill(image.voxels.begin(), image.voxels.end(), 3.0F);
  write_image(folder / "flat.nii.gz", image);
  EXPECT_THAT(refusal(folder / "flat.nii.gz"), HasSubstr("is constant"));
  write_image(folder / "slice.nii.gz", counting_volume({.z = 1, .y = 4, .x = 5}));
  EXPECT_THAT(refusal(folder / "slice.nii.gz"), HasSubstr("2-D image (5 x 4 x 1 voxels)"));
}

TEST(ReadLabelsTest, TakesIntegersOnly) {
  const ImageFolder folder;
  Volume image = counting_volume({.z = 2, .y = 2, .x = 3});
  write_image(folder / "half.nii.gz", image);
  EXPECT_THAT(test::sentence_of<core::DataError>([&] { read_labels(folder / "half.nii.gz"); }),
              AllOf(HasSubstr("half.nii.gz"), HasSubstr("integers only")));
  for (std::size_t i = 0; i < 12; ++i)
    image.voxels[i] = static_cast<float>(i) * 50 - 100;
  write_image(folder / "whole.nii.gz", image);
  const RawLabels labels = read_labels(folder / "whole.nii.gz");
  EXPECT_EQ(labels.voxels[0], -100);
  EXPECT_EQ(labels.voxels[11], 450);
}

TEST(WriteLabelsTest, KeepsClassesAndGeometry) {
  const ImageFolder folder;
  const Geometry geometry = counting_volume({2, 2, 2}).geometry;
  const LabelVolume label{{2, 3, 2}, geometry, {0, 1, 2, 3, 255, 0, 1, 1, 0, 0, 2, 7}};
  write_labels(folder / "label.nii.gz", label);
  const RawLabels read = read_labels(folder / "label.nii.gz");
  EXPECT_TRUE(std::ranges::equal(read.voxels, label.voxels));
  EXPECT_FALSE(grid_difference(label.shape, geometry, read.shape, read.geometry, 1e-6));
}

TEST(WriteImageTest, SaysWhereItCannotWrite) {
  const ImageFolder folder;
  const Volume image = counting_volume({2, 2, 2});
  EXPECT_THAT(
      test::sentence_of<core::SystemError>([&] { write_image(folder / "no/a.nii.gz", image); }),
      HasSubstr("no/a.nii.gz cannot be written"));
  EXPECT_THAT(
      test::sentence_of<core::SystemError>([&] { write_image(folder / "a.doc", image); }),
      HasSubstr(".nii.gz"));
}

TEST(ReadImageTest, ThreadsReadAtTheSameTime) {
  const ImageFolder folder;
  const Volume image = counting_volume({.z = 8, .y = 9, .x = 10});
  write_image(folder / "image.nii.gz", image);
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (int& mine : equal)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i)
        mine += read_image({folder / "image.nii.gz"}, {}).voxels == image.voxels ? 1 : 0;
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 10));
}

}  // namespace
}  // namespace proxytune::imaging
