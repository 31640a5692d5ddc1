#include "proxytune/datasets/phantom.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "proxytune/datasets/load_case.h"
#include "proxytune/imaging/preprocess.h"

#include "tests/support/image_folder.h"

namespace proxytune::datasets {
namespace {

using test::ImageFolder;

std::string bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(PhantomTest, IsBitIdenticalForTheSameSeed) {
  const ImageFolder folder;
  PhantomOptions options{.internal_cases = 2, .external_cases = 1, .shape = {20, 20, 20}};
  write_phantom(folder / "one", options);
  write_phantom(folder / "two", options);
  options.seed = 2;
  write_phantom(folder / "other", options);
  for (const char* name : {"siteA/dataset.json",
                           "siteA/imagesTr/siteA_001.nii.gz",
                           "siteB/labelsTr/siteB_000.nii.gz"})
    EXPECT_EQ(bytes(folder / "one" / name), bytes(folder / "two" / name)) << name;
  const char* image = "siteA/imagesTr/siteA_001.nii.gz";
  EXPECT_NE(bytes(folder / "one" / image), bytes(folder / "other" / image));
}

TEST(PhantomTest, LoadsAsADecathlonDataSetWithSitesThatDiffer) {
  const ImageFolder folder;
  const auto folders = write_phantom(folder.path(),
                                     {.internal_cases = 3,
                                      .external_cases = 2,
                                      .shape = {40, 36, 32},
                                      .classes = 2,
                                      .channels = 2});
  imaging::PreprocessOptions options;
  options.spacing = {1, 1, 1};
  options.pad_to = {32, 32, 32};
  for (const auto& file : {folders.internal, folders.external}) {
    const Dataset dataset = read_decathlon(file);
    EXPECT_EQ(dataset.labels.size(), 3U);
    EXPECT_EQ(dataset.cases.size(), file == folders.internal ? 3U : 2U);
    for (const Case& one : dataset.cases) {
      const LoadedCase loaded = load_case(one, {});
      EXPECT_EQ(loaded.image.channels, 2);
      EXPECT_EQ(loaded.image.geometry.spacing[2], file == folders.internal ? 1.0 : 1.5);
      const auto prepared = imaging::preprocess(loaded.image, loaded.label, options);
      for (const int value : {1, 2})
        EXPECT_GT(std::count(prepared.label.voxels.begin(), prepared.label.voxels.end(), value),
                  200);
      EXPECT_NEAR(prepared.image.shape.x, 40, 4);
      EXPECT_NEAR(prepared.image.shape.z, 32, 4);
    }
  }
}

TEST(PhantomTest, IsNotSolvedByAThreshold) {
  const Phantom phantom = make_phantom({}, PhantomSite::a, 0);
  double best = 0;
  for (int threshold = 60; threshold < 200; threshold += 4) {
    double both = 0;
    double sum = 0;
    for (std::size_t i = 0; i < phantom.label.voxels.size(); ++i) {
      const bool predicted = phantom.image.voxels[i] > static_cast<float>(threshold);
      const bool truth = phantom.label.voxels[i] > 0;
      both += predicted && truth ? 1 : 0;
      sum += (predicted ? 1 : 0) + (truth ? 1 : 0);
    }
    best = std::max(best, 2 * both / sum);
  }
  EXPECT_LT(best, 0.85);
  EXPECT_GT(best, 0.4);  // but the organ does stand out
}

TEST(PhantomTest, RefusesImpossibleOptions) {
  EXPECT_THROW(validate(PhantomOptions{.classes = 3}), core::FieldError);
  EXPECT_THROW(validate(PhantomOptions{.shape = {8, 40, 40}}), core::FieldError);
  EXPECT_THROW(validate(PhantomOptions{.external_cases = 0}), core::FieldError);
}

}  // namespace
}  // namespace proxytune::datasets
