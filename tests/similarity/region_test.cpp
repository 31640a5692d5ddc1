#include "proxytune/similarity/region.h"

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/imaging/transforms.h"

#include "tests/reference/reference_numbers.h"
#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

TEST(ResizeTrilinearTest, EqualsTorchs) {
  const auto numbers = test::reference_numbers("similarity_reference");
  const auto small = test::texture(3, {3, 4, 5});
  const auto resized = imaging::resize_trilinear(imaging::view(small), {4, 7, 3}).voxels;
  ASSERT_EQ(resized.size(), 84U);
  for (std::size_t i = 0; i < resized.size(); ++i)
    EXPECT_NEAR(resized[i], numbers.at("resize_" + std::to_string(i)), 2e-7);
}

TEST(ResizeTrilinearTest, KeepsAGridAndAConstant) {
  const auto volume = test::texture(3, {3, 4, 5});
  EXPECT_EQ(imaging::resize_trilinear(imaging::view(volume), volume.shape).voxels,
            volume.voxels);
  const auto flat = test::filled({3, 1, 5}, 0.3F);
  EXPECT_EQ(imaging::resize_trilinear(imaging::view(flat), {6, 6, 2}).voxels,
            std::vector<float>(72, 0.3F));
}

Subject labelled(const imaging::Volume& image, const std::vector<std::uint8_t>& label) {
  return {imaging::view(image), {image.shape, label}, "key", "case_7"};
}

TEST(LabelCubeTest, IsTheBoundingBoxOfAllClasses) {
  const auto image = test::texture(1, {6, 7, 8});
  std::vector<std::uint8_t> label(image.voxels.size(), 0);
  const auto index = [](std::size_t z, std::size_t y, std::size_t x) {
    return (z * 7 + y) * 8 + x;
  };
  label[index(1, 2, 3)] = 1;
  label[index(3, 4, 5)] = 2;
  const auto cube = label_cube(labelled(image, label), 3);
  ASSERT_EQ(cube.voxels.size(), 27U);
  EXPECT_EQ(cube.voxels.front(), image.voxels[index(1, 2, 3)]);
  EXPECT_EQ(cube.voxels[13], image.voxels[index(2, 3, 4)]);
  EXPECT_EQ(cube.voxels.back(), image.voxels[index(3, 4, 5)]);
}

TEST(LabelCubeTest, NamesTheCaseWithoutForeground) {
  const auto image = test::texture(1, {2, 2, 2});
  const std::vector<std::uint8_t> label(8, 0);
  try {
    label_cube(labelled(image, label), 4);
    FAIL();
  } catch (const core::DataError& error) {
    EXPECT_NE(std::string(error.what()).find("the label of case_7 has no foreground"),
              std::string::npos);
  }
}

TEST(LabelCubeTest, RefusesALabelOfAnotherShape) {
  const auto image = test::texture(1, {2, 2, 2});
  const std::vector<std::uint8_t> label(4, 1);
  Subject subject{imaging::view(image), {{1, 2, 2}, label}, "key", "case_7"};
  EXPECT_THROW(label_cube(subject, 4), core::DataError);
}

}  // namespace
}  // namespace proxytune::similarity
