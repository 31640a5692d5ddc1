#pragma once

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/similarity/measure.h"

#include "tests/similarity/textures.h"

namespace proxytune::test {

inline std::vector<double> all_pairs(similarity::Measure& measure,
                                     const std::vector<imaging::Volume>& volumes,
                                     similarity::Cells cells) {
  std::vector<std::unique_ptr<similarity::PreparedImage>> prepared;
  std::vector<const similarity::PreparedImage*> images;
  for (const imaging::Volume& volume : volumes) {
    prepared.push_back(measure.prepare(imaging::view(volume)));
    images.push_back(prepared.back().get());
  }
  std::vector<double> values(images.size() * images.size());
  measure.compare_all(images, images, cells, values);
  return values;
}

/// Neither equal nor unrelated, with a background in a corner, as intensity windows leave it.
inline imaging::Volume scan(int seed, const imaging::Shape& shape) {
  imaging::Volume volume = blend(texture(seed, shape), texture(77, shape));
  for (int z = 0; z < shape.z; ++z)
    for (int y = 0; y < shape.y / 2; ++y)
      for (int x = 0; x < shape.x * 2 / 3; ++x)
        volume.voxels[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)] =
            z < shape.z / 2 ? 0.0F : 1.0F;
  return volume;
}

inline std::vector<imaging::Volume> scans(int count, const imaging::Shape& shape) {
  std::vector<imaging::Volume> volumes;
  for (int i = 0; i < count; ++i)
    volumes.push_back(scan(i + 1, shape));
  return volumes;
}

/// With the processor's own measures, to the last bit.
inline void expect_the_processors(similarity::Metric metric,
                                  const similarity::SimilarityOptions& options,
                                  const std::vector<imaging::Volume>& volumes,
                                  const std::shared_ptr<similarity::Gpu>& gpu) {
  const auto here = similarity::make_measure(metric, options);
  const auto there =
      similarity::make_measure(metric, options, similarity::chosen_instruction_set(), gpu);
  ASSERT_NE(there->device_memory(), 0U);
  EXPECT_EQ(there->identity(), here->identity());
  const auto expected = all_pairs(*here, volumes, similarity::Cells::all);
  const imaging::Shape& shape = volumes.front().shape;
  EXPECT_EQ(all_pairs(*there, volumes, similarity::Cells::all), expected)
      << shape.z << " x " << shape.y << " x " << shape.x << ", window " << options.window
      << ", bins " << options.bins;
}

}  // namespace proxytune::test
