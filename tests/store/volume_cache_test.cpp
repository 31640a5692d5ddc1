#include "proxytune/store/volume_cache.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"

#include "tests/store/world.h"

namespace proxytune::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A case whose voxels say which it is.
struct Made {
  int number;
  int channels;
  imaging::Shape shape;
  std::vector<float> image;
  std::vector<std::uint8_t> label;
  std::string key;

  Made(int number_, int channels_, imaging::Shape shape_, bool labelled = true)
      : number(number_),
        channels(channels_),
        shape(shape_),
        key("key-" + std::to_string(number)) {
    image.resize(shape.voxels() * static_cast<std::size_t>(channels));
    for (std::size_t i = 0; i < image.size(); ++i)
      image[i] = static_cast<float>(number * 1000) + static_cast<float>(i);
    if (labelled)
      label.assign(shape.voxels(), static_cast<std::uint8_t>(number + 1));
  }
  CachedCase view() const {
    CachedCase one;
    one.key = key;
    one.id = "case " + std::to_string(number);
    one.channels = channels;
    one.shape = shape;
    one.geometry.spacing = {0.5, 1.25, 3.0 + number};
    one.geometry.direction[1] = {0, -1, 0};
    one.image = image;
    one.label = label;
    one.content_hash = core::content_hash(std::as_bytes(one.image));
    one.provenance = "images/" + std::to_string(number) + ".nii.gz";
    return one;
  }
};

void expect_stored(const VolumeCache& cache, const Made& made) {
  const MappedCase& got = cache.at(made.key);
  const CachedCase want = made.view();
  EXPECT_EQ(got.id, want.id);
  EXPECT_EQ(got.geometry, want.geometry);
  EXPECT_EQ(got.content_hash, want.content_hash);
  EXPECT_EQ(got.provenance, want.provenance);
  EXPECT_EQ(got.image.channels, made.channels);
  EXPECT_EQ(got.image.shape, made.shape);
  EXPECT_TRUE(std::ranges::equal(got.image.voxels, made.image));
  EXPECT_TRUE(std::ranges::equal(got.label.voxels, made.label));
}

std::filesystem::path only_file(const std::filesystem::path& folder) {
  return std::filesystem::directory_iterator(folder)->path();
}

TEST(VolumeCacheTest, HoldsTheCasesOfAllRanks) {
  const SharedFolder folder;
  const auto cache_folder = folder.path() / "cache";
  std::vector<Made> all;
  for (int i = 0; i < 7; ++i)
    all.emplace_back(i, 1 + i % 2, imaging::Shape{2 + i, 3, 5}, i != 3);
  std::vector<CachedCase> mine;
  for (const Made& made : all)
    if (made.number % world().size() == world().rank())
      mine.push_back(made.view());
  EXPECT_EQ(write_round(world(), mine, cache_folder), 7U);
  const VolumeCache cache = VolumeCache::open(cache_folder);
  EXPECT_EQ(cache.keys().size(), 7U);
  for (const Made& made : all)
    expect_stored(cache, made);
  cache.verify();
  EXPECT_FALSE(cache.has("key-7"));
  EXPECT_THROW(cache.at("key-7"), core::DataError);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(cache.at("key-2").image.voxels.data()) % 4096, 0U);
}

TEST(VolumeCacheTest, GrowsByRoundsAndKeepsTheOldOnesMapped) {
  const SharedFolder folder;
  const Made one(1, 1, {4, 4, 4});
  const Made two(2, 1, {3, 3, 3});
  const auto of_root = [&](const Made& made) {
    return world().is_root() ? std::vector<CachedCase>{made.view()} : std::vector<CachedCase>{};
  };
  write_round(world(), of_root(one), folder.path());
  const VolumeCache before = VolumeCache::open(folder.path());
  world().barrier();
  if (world().is_root())
    std::ofstream(folder.path() / "round-abc.h5.tmp") << "of a killed job";
  write_round(world(), of_root(two), folder.path());
  const VolumeCache after = VolumeCache::open(folder.path());
  EXPECT_THAT(before.keys(), ElementsAre("key-1"));
  EXPECT_THAT(after.keys(), ElementsAre("key-1", "key-2"));
  expect_stored(before, one);
  expect_stored(after, one);
  expect_stored(after, two);
  EXPECT_EQ(after.bytes(), 64U * 5 + 27 * 5);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "round-abc.h5.tmp"));
}

TEST(VolumeCacheTest, AKeyThatEveryRankBringsIsStoredOnce) {
  const SharedFolder folder;
  const Made made(5, 1, {2, 2, 2});
  EXPECT_EQ(write_round(world(), {made.view(), made.view()}, folder.path()), 1U);
  expect_stored(VolumeCache::open(folder.path()), made);
}

TEST(VolumeCacheTest, WithoutCasesOrFolderIsEmpty) {
  const SharedFolder folder;
  EXPECT_EQ(write_round(world(), {}, folder.path()), 0U);
  EXPECT_TRUE(VolumeCache::open(folder.path()).keys().empty());
  EXPECT_TRUE(VolumeCache::open(folder.path() / "missing").keys().empty());
}

TEST(VolumeCacheTest, ACaseThatDoesNotFillItsShapeIsRefusedByEveryRank) {
  const SharedFolder folder;
  const Made made(1, 1, {2, 2, 2});
  CachedCase wrong = made.view();
  wrong.shape.x = 3;
  std::vector<CachedCase> mine;
  if (world().rank() == world().size() - 1)
    mine.push_back(wrong);
  EXPECT_ANY_THROW(write_round(world(), mine, folder.path()));
  EXPECT_TRUE(VolumeCache::open(folder.path()).keys().empty());
}

TEST(VolumeCacheTest, TruncatedForeignAndFlippedFilesAreSaid) {
  const SharedFolder folder;
  const Made made(1, 1, {8, 8, 8});
  write_round(world(), {made.view()}, folder.path());
  world().barrier();
  if (!world().is_root())
    return;
  const auto file = only_file(folder.path());
  const auto size = std::filesystem::file_size(file);
  const auto expect_open_to_say = [&](const std::string& words) {
    try {
      VolumeCache::open(folder.path());
      ADD_FAILURE() << "opened, but should say " << words;
    } catch (const core::DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), HasSubstr(file.string()));
    }
  };
  {
    const VolumeCache cache = VolumeCache::open(folder.path());
    const auto voxels = std::as_bytes(cache.at("key-1").image.voxels);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string whole(size, '\0');
    stream.read(whole.data(), static_cast<std::streamsize>(size));
    const auto place =
        whole.find(std::string(reinterpret_cast<const char*>(voxels.data()), voxels.size()));
    ASSERT_NE(place, std::string::npos);
    stream.seekp(static_cast<std::streamoff>(place) + 777);
    stream.put(static_cast<char>(whole[place + 777] ^ 1));
  }
  const VolumeCache flipped = VolumeCache::open(folder.path());
  EXPECT_THROW(flipped.verify(), core::DataError);
  std::filesystem::resize_file(file, size - 100);
  expect_open_to_say("truncated");
  std::filesystem::resize_file(file, 10);
  expect_open_to_say("truncated");
  std::ofstream(file) << "no HDF5 file at all";
  expect_open_to_say("no HDF5 file");
}

}  // namespace
}  // namespace proxytune::store
