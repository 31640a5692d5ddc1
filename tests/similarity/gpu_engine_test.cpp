#include <memory>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/similarity/pair_engine.h"

#include "tests/similarity/emulated_gpu.h"
#include "tests/similarity/scans.h"

namespace proxytune::similarity {
namespace {

using test::EmulatedGpu;

constexpr Metric both_metrics[] = {Metric::mutual_information,
                                   Metric::normalized_cross_correlation};

/// Volumes whose labels fill them.
struct Shelf {
  std::vector<imaging::Volume> images;
  std::vector<std::vector<std::uint8_t>> labels;

  explicit Shelf(int volumes) {
    for (int i = 0; i < volumes; ++i) {
      images.push_back(test::scan(i + 1, {7 + i % 3, 8, 10 - i % 2}));
      labels.emplace_back(images.back().voxels.size(), std::uint8_t{1});
    }
  }
  SubjectSet set() const {
    return {static_cast<int>(images.size()), [this](int i) {
              const auto& image = images[static_cast<std::size_t>(i)];
              return Subject{imaging::view(image),
                             {image.shape, labels[static_cast<std::size_t>(i)]},
                             core::content_hash(std::as_bytes(std::span(image.voxels))),
                             "case_" + std::to_string(i)};
            }};
  }
};

constexpr SimilarityOptions small{.bins = 16, .window = 3, .cube = 6};

TEST(GpuEngineTest, AMatrixIsTheProcessors) {
  const Shelf shelf(6);
  for (const Metric metric : both_metrics)
    for (const Crop crop : {Crop::none, Crop::label})
      for (const int threads : {1, 3}) {
        SimilarityOptions options = small;
        options.threads = threads;
        const auto gpu = std::make_shared<EmulatedGpu>();
        PairEngine here(metric, crop, options, shelf.set());
        PairEngine there(metric, crop, options, shelf.set(), gpu);
        EXPECT_EQ(there.compute_all().values, here.compute_all().values);
        EXPECT_EQ(there.tile_items().at(0).key, here.tile_items().at(0).key);
        EXPECT_GT(gpu->launches(), 0);
      }
}

TEST(GpuEngineTest, AWholeTileIsOneTask) {
  const Shelf shelf(20);
  SimilarityOptions options = small;
  options.tile = 20;
  const auto launches_for = [&](Metric metric) {
    const auto gpu = std::make_shared<EmulatedGpu>();
    PairEngine(metric, Crop::label, options, shelf.set(), gpu).compute_all();
    return gpu->launches();
  };
  EXPECT_EQ(launches_for(Metric::mutual_information), 2);
  EXPECT_EQ(launches_for(Metric::normalized_cross_correlation), 20 * 2 + 2);
}

TEST(GpuEngineTest, NoLimitOfItsMemoryChangesABit) {
  const Shelf shelf(6);
  for (const Metric metric : both_metrics) {
    EmulatedGpu::Settings settings;
    settings.image_memory = 60000;  // a few images
    const auto gpu = std::make_shared<EmulatedGpu>(settings);
    PairEngine here(metric, Crop::none, small, shelf.set());
    PairEngine there(metric, Crop::none, small, shelf.set(), gpu);
    EXPECT_EQ(there.compute_all().values, here.compute_all().values);
  }
}

TEST(GpuEngineTest, SaysHowMuchOfItsMemoryTwoImagesTake) {
  const Shelf shelf(2);
  EmulatedGpu::Settings settings;
  settings.image_memory = 1000;
  PairEngine engine(Metric::normalized_cross_correlation,
                    Crop::label,
                    small,
                    shelf.set(),
                    std::make_shared<EmulatedGpu>(settings));
  try {
    engine.compute_all();
    FAIL();
  } catch (const core::ConfigurationError& error) {
    EXPECT_NE(std::string(error.what()).find("similarity.device_memory"), std::string::npos);
  }
}

TEST(GpuEngineTest, SomeCellsAreThoseOfTheMatrix) {
  const Shelf shelf(5);
  const std::vector<Cell> cells{{0, 1}, {0, 4}, {2, 3}, {4, 4}};
  for (const Metric metric : both_metrics) {
    PairEngine engine(metric, Crop::none, small, shelf.set(), std::make_shared<EmulatedGpu>());
    const PairMatrix matrix = engine.compute_all();
    std::vector<double> values;
    for (const work::Item& item : engine.row_items(cells))
      for (const double value : engine.compute(item))
        values.push_back(value);
    ASSERT_EQ(values.size(), cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i)
      EXPECT_EQ(values[i], matrix.at(cells[i].row, cells[i].column));
  }
}

}  // namespace
}  // namespace proxytune::similarity
