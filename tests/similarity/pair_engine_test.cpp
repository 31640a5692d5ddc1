#include "proxytune/similarity/pair_engine.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/imaging/transforms.h"

#include "tests/similarity/textures.h"

namespace proxytune::similarity {
namespace {

/// Volumes and labels that outlive the engine.
struct Shelf {
  std::vector<imaging::Volume> images;
  std::vector<std::vector<std::uint8_t>> labels;

  void add(int seed, const imaging::Shape& shape) {
    images.push_back(test::blend(test::texture(seed, shape), test::texture(99, shape)));
    std::vector<std::uint8_t> label(shape.voxels(), 0);
    std::fill(label.begin() + static_cast<std::ptrdiff_t>(label.size() / 3),
              label.begin() + static_cast<std::ptrdiff_t>(label.size() / 2 + 5),
              std::uint8_t{1});
    labels.push_back(label);
  }
  SubjectSet set() const {
    return {static_cast<int>(images.size()), [this](int i) {
              const auto& image = images[static_cast<std::size_t>(i)];
              const auto& label = labels[static_cast<std::size_t>(i)];
              const std::string name = "case_" + std::to_string(i);
              return Subject{imaging::view(image),
                             {image.shape, label},
                             core::content_hash(std::as_bytes(std::span(image.voxels))),
                             name};
            }};
  }
};

Shelf equal_shapes(int volumes) {
  Shelf shelf;
  for (int i = 0; i < volumes; ++i)
    shelf.add(i + 1, {8, 9, 10});
  return shelf;
}

Shelf unequal_shapes(int volumes) {
  Shelf shelf;
  for (int i = 0; i < volumes; ++i)
    shelf.add(i + 1, {7 + i % 3, 8, 10 - i % 2});
  return shelf;
}

SimilarityOptions small_options(int tile) {
  return {.bins = 16, .window = 3, .cube = 6, .tile = tile};
}

constexpr Metric both_metrics[] = {Metric::mutual_information,
                                   Metric::normalized_cross_correlation};

TEST(TileTest, CoversEveryPairOfTheTriangleOnce) {
  for (const int volumes : {0, 1, 2, 7, 16, 17})
    for (const int edge : {0, 1, 3, 16, 40}) {
      std::multiset<std::pair<int, int>> pairs;
      std::vector<int> batches(static_cast<std::size_t>(volumes), 0);
      std::fill(batches.begin() + volumes / 2, batches.end(), 3);
      for (const Tile& tile : tile_upper_triangle(blocks_of(batches, edge))) {
        EXPECT_LE(tile.row_end - tile.row_begin, edge == 0 ? 8 : edge);
        for (int row = tile.row_begin; row < tile.row_end; ++row)
          for (int column = std::max(row, tile.column_begin); column < tile.column_end;
               ++column)
            pairs.insert({row, column});
      }
      std::multiset<std::pair<int, int>> expected;
      for (int row = 0; row < volumes; ++row)
        for (int column = row; column < volumes; ++column)
          expected.insert({row, column});
      EXPECT_EQ(pairs, expected) << volumes << " volumes, edge " << edge;
    }
}

TEST(TileTest, TakesEdgesBeyondEverySet) {
  const auto blocks = blocks_of({0, 0, 1, 1, 1}, std::numeric_limits<int>::max());
  EXPECT_EQ(blocks, (std::vector<Block>{{0, 2}, {2, 5}}));
}

TEST(TileTest, CoversEveryCellOfARectangleOnce) {
  std::multiset<std::pair<int, int>> cells;
  for (const Tile& tile :
       tile_rectangle(blocks_of({0, 0, 0, 0, 1}, 3), blocks_of({0, 0, 1, 1, 1, 1, 1}, 3)))
    for (int row = tile.row_begin; row < tile.row_end; ++row)
      for (int column = tile.column_begin; column < tile.column_end; ++column)
        cells.insert({row, column});
  EXPECT_EQ(cells.size(), 35U);
  EXPECT_EQ(std::set(cells.begin(), cells.end()).size(), 35U);
}

TEST(PairEngineTest, TilesOfATriangleAndOfARectangleAreDifferentWork) {
  const Shelf shelf = equal_shapes(3);
  PairEngine triangle(Metric::mutual_information, Crop::none, small_options(3), shelf.set());
  PairEngine rectangle(
      Metric::mutual_information, Crop::none, small_options(3), shelf.set(), shelf.set());
  ASSERT_TRUE(triangle.symmetric());
  ASSERT_FALSE(rectangle.symmetric());
  const work::Item half = triangle.tile_items().at(0);
  const work::Item whole = rectangle.tile_items().at(0);
  EXPECT_NE(half.key, whole.key);
  EXPECT_EQ(rectangle.compute_all().values, triangle.compute_all().values);
}

TEST(PairEngineTest, NoTileSizeAndNoOrderChangesABit) {
  const Shelf shelf = unequal_shapes(7);
  for (const Metric metric : both_metrics)
    for (const Crop crop : {Crop::none, Crop::label}) {
      const auto whole =
          PairEngine(metric, crop, small_options(100), shelf.set()).compute_all();
      for (const int tile : {1, 2, 3, 7}) {
        PairEngine engine(metric, crop, small_options(tile), shelf.set());
        auto items = engine.tile_items();
        std::reverse(items.begin(), items.end());
        std::map<std::string, TileValues> results;
        for (const auto& item : items)
          results[item.key] = engine.compute(item);
        const auto kept = [&](const work::Item& item) { return results.at(item.key); };
        EXPECT_EQ(engine.assemble(kept).values, whole.values);
      }
    }
}

TEST(PairEngineTest, CellsAreTheMeasuresOfTheCubes) {
  const Shelf shelf = unequal_shapes(3);
  for (const Metric metric : both_metrics) {
    PairEngine engine(metric, Crop::label, small_options(2), shelf.set());
    EXPECT_TRUE(engine.symmetric());
    const auto matrix = engine.compute_all();
    const auto measure = make_measure(metric, small_options(2));
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const auto one = label_cube(shelf.set().at(i), 6);
        const auto other = label_cube(shelf.set().at(j), 6);
        EXPECT_EQ(matrix.at(i, j),
                  measure->compare(*measure->prepare(imaging::view(one)),
                                   *measure->prepare(imaging::view(other))));
      }
  }
}

TEST(PairEngineTest, WithoutCropTheRowsVolumeComesToTheColumnsGrid) {
  const Shelf shelf = unequal_shapes(4);
  PairEngine engine(Metric::mutual_information, Crop::none, small_options(3), shelf.set());
  EXPECT_FALSE(engine.symmetric());
  const auto matrix = engine.compute_all();
  const auto measure = make_measure(Metric::mutual_information, small_options(3));
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      const auto column = shelf.set().at(j).image;
      const auto row = imaging::resize_trilinear(shelf.set().at(i).image, column.shape);
      EXPECT_EQ(
          matrix.at(i, j),
          measure->compare(*measure->prepare(imaging::view(row)), *measure->prepare(column)));
    }
  EXPECT_NE(matrix.at(0, 1), matrix.at(1, 0));
}

TEST(PairEngineTest, WithoutCropEqualShapesMakeTheMatrixSymmetric) {
  const Shelf shelf = equal_shapes(5);
  PairEngine engine(
      Metric::normalized_cross_correlation, Crop::none, small_options(2), shelf.set());
  EXPECT_TRUE(engine.symmetric());
  EXPECT_EQ(engine.tile_items().size(), 6U);
  PairEngine ordered(Metric::normalized_cross_correlation,
                     Crop::none,
                     small_options(2),
                     shelf.set(),
                     shelf.set());
  EXPECT_EQ(ordered.tile_items().size(), 9U);
  EXPECT_EQ(engine.compute_all().values, ordered.compute_all().values);
}

std::set<std::string> keys_of(const PairEngine& engine) {
  std::set<std::string> keys;
  for (const auto& item : engine.tile_items())
    keys.insert(item.key);
  return keys;
}

/// The set with its last volume in front, which came in a second batch.
SubjectSet grown_in_front(const Shelf& shelf) {
  SubjectSet set = shelf.set();
  const auto at = set.at;
  const int last = set.size - 1;
  set.at = [at, last](int i) { return at(i == 0 ? last : i - 1); };
  set.batches.assign(static_cast<std::size_t>(set.size), 0);
  set.batches.front() = 1;
  return set;
}

TEST(PairEngineTest, AGrownSetKeepsAllTilesWhereverTheNewVolumeStands) {
  const Shelf shelf = equal_shapes(7);
  Shelf grown = shelf;
  grown.add(50, {8, 9, 10});
  for (const int tile : {0, 2, 5}) {
    PairEngine before(
        Metric::mutual_information, Crop::label, small_options(tile), shelf.set());
    PairEngine after(
        Metric::mutual_information, Crop::label, small_options(tile), grown_in_front(grown));
    std::size_t pairs = 0;  // of the tiles that are new
    for (const auto& item : after.tile_items())
      if (!keys_of(before).contains(item.key))
        pairs += after.compute(item).size();
    EXPECT_EQ(pairs, 8U) << tile;
    const auto matrix = after.compute_all();
    const auto small = before.compute_all();
    for (int row = 0; row < 7; ++row)
      for (int column = 0; column < 7; ++column)
        EXPECT_EQ(matrix.at(row + 1, column + 1), small.at(row, column));
  }
}

TEST(PairEngineTest, NoMemoryLimitAndNoNumberOfThreadsChangesABit) {
  const Shelf shelves[] = {equal_shapes(21), unequal_shapes(9)};
  for (const Shelf& shelf : shelves)
    for (const Metric metric : both_metrics)
      for (const Crop crop : {Crop::none, Crop::label}) {
        SimilarityOptions options = small_options(21);
        options.cube = 60;
        PairEngine plain(metric, crop, options, shelf.set());
        options.memory = metric == Metric::mutual_information ? 1 : 7;  // 4 cubes
        options.threads = 3;
        PairEngine limited(metric, crop, options, shelf.set());
        EXPECT_EQ(plain.compute_all().values, limited.compute_all().values);
      }
}

TEST(PairEngineTest, SomeCellsAreThoseOfTheMatrix) {
  const Shelf shelves[] = {equal_shapes(9), unequal_shapes(9)};
  const std::vector<Cell> some{{0, 0}, {0, 8}, {2, 3}, {2, 5}, {2, 8}, {7, 8}};
  for (const Shelf& shelf : shelves)
    for (const Metric metric : both_metrics)
      for (const Crop crop : {Crop::none, Crop::label}) {
        SimilarityOptions options = small_options(0);
        PairEngine whole(metric, crop, options, shelf.set());
        const PairMatrix matrix = whole.compute_all();
        options.threads = 2;
        PairEngine engine(metric, crop, options, shelf.set());
        std::vector<double> values;
        const auto items = engine.row_items(some);
        ASSERT_EQ(items.size(), 3U);
        for (const work::Item& item : items)
          for (const double value : engine.compute(item))
            values.push_back(value);
        ASSERT_EQ(values.size(), some.size());
        for (std::size_t i = 0; i < some.size(); ++i)
          EXPECT_EQ(values[i], matrix.at(some[i].row, some[i].column));
      }
}

TEST(PairEngineTest, RefusesARowOfOtherVolumes) {
  const Shelf shelf = equal_shapes(3);
  PairEngine engine(Metric::mutual_information, Crop::label, small_options(0), shelf.set());
  work::Item item = engine.row_items({{0, 2}}).at(0);
  item.what.set("columns", std::vector<std::int64_t>{3});
  EXPECT_THROW(engine.compute(item), core::DataError);
}

TEST(PairEngineTest, CallsInTheMidstOfATileAndStopsThere) {
  const Shelf shelf = equal_shapes(5);
  PairEngine engine(Metric::mutual_information, Crop::label, small_options(5), shelf.set());
  std::atomic<int> calls = 0;
  std::atomic<bool> stop = false;
  engine.call_meanwhile([&] {
    ++calls;
    if (stop)
      throw core::Stopped("asked to stop");
  });
  const work::Item tile = engine.tile_items().at(0);
  EXPECT_EQ(engine.compute(tile).size(), 25U);
  // Before each of five images, and among their pairs.
  EXPECT_GT(calls, 5);
  stop = true;
  EXPECT_THROW(engine.compute(tile), core::Stopped);
}

TEST(PairEngineTest, SaysHowMuchMemoryTwoImagesTake) {
  const Shelf shelf = equal_shapes(3);
  SimilarityOptions options = small_options(2);
  options.cube = 64;
  options.memory = 2;
  PairEngine engine(Metric::normalized_cross_correlation, Crop::label, options, shelf.set());
  try {
    engine.compute_all();
    FAIL() << "two cubes of 64 voxels fit into 2 MiB";
  } catch (const core::ConfigurationError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("similarity.memory is 2 MiB, but two images"));
  }
}

TEST(PairEngineTest, ComparesColumnsOfOneShapeTogether) {
  const Shelf shelf = unequal_shapes(9);
  PairEngine engine(Metric::mutual_information, Crop::none, small_options(3), shelf.set());
  int resampled = 0;
  SubjectSet counting = shelf.set();
  const auto at = counting.at;
  counting.at = [&](int i) {
    ++resampled;
    return at(i);
  };
  PairEngine counted(Metric::mutual_information, Crop::none, small_options(3), counting);
  resampled = 0;
  EXPECT_EQ(counted.compute_all().values, engine.compute_all().values);
  std::set<std::array<int, 3>> shapes;
  for (const auto& image : shelf.images)
    shapes.insert({image.shape.z, image.shape.y, image.shape.x});
  EXPECT_LE(resampled, 9 * static_cast<int>(shapes.size()));
}

TEST(PairEngineTest, ATilesKeyNamesWhatChangesItsValuesAndNothingElse) {
  const Shelf shelf = equal_shapes(2);
  const auto key = [&](Metric metric, Crop crop, const SimilarityOptions& options) {
    return PairEngine(metric, crop, options, shelf.set()).tile_items().at(0).key;
  };
  const auto mi = Metric::mutual_information;
  const auto ncc = Metric::normalized_cross_correlation;
  const std::string base = key(mi, Crop::label, small_options(4));
  auto other = small_options(5);
  other.include_self = false;
  other.window = 5;  // not of this metric
  EXPECT_EQ(key(mi, Crop::label, other), base);
  other = small_options(4);
  other.bins = 17;
  EXPECT_NE(key(mi, Crop::label, other), base);
  EXPECT_EQ(key(ncc, Crop::label, other), key(ncc, Crop::label, small_options(4)));
  EXPECT_NE(key(ncc, Crop::label, small_options(4)), base);
  EXPECT_NE(key(mi, Crop::none, small_options(4)), base);
  other = small_options(4);
  other.cube = 7;
  EXPECT_NE(key(mi, Crop::label, other), base);
}

TEST(PairEngineTest, ListsNearDuplicatesBetweenTwoSets) {
  const Shelf internal = equal_shapes(3);
  Shelf external;
  external.add(77, {8, 9, 10});
  external.images.push_back(internal.images[2]);
  external.labels.push_back(internal.labels[2]);
  PairEngine engine(Metric::normalized_cross_correlation,
                    Crop::label,
                    small_options(2),
                    internal.set(),
                    external.set());
  const auto matrix = engine.compute_all();
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.columns, 2);
  const auto found = near_duplicates(matrix, 0.999);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].row, 2);
  EXPECT_EQ(found[0].column, 1);
  const auto table = to_table(found, {"a", "b", "c"}, {"x", "y"}, "1", "/rank/near", "d");
  EXPECT_EQ(std::get<std::vector<std::string>>(table.column("external_case").values).at(0),
            "y");
}

TEST(PairEngineTest, TakesNoVolumeAndOneVolume) {
  for (const int volumes : {0, 1}) {
    const Shelf shelf = equal_shapes(volumes);
    PairEngine engine(Metric::mutual_information, Crop::none, small_options(2), shelf.set());
    const auto matrix = engine.compute_all();
    EXPECT_EQ(matrix.values.size(), static_cast<std::size_t>(volumes));
    core::validate(
        to_table(matrix, std::vector<std::string>(matrix.values.size()), "nat", "/m", "d"));
  }
}

TEST(PairEngineTest, NamesAMatrixByWhereItsVolumesStand) {
  // Two that came first and two later ones, which then take the front of the list.
  const Shelf shelf = equal_shapes(4);
  SubjectSet before = shelf.set();
  before.batches = {0, 0, 1, 1};
  SubjectSet after = before;
  after.at = [&](int i) { return before.at((i + 2) % 4); };
  after.batches = {1, 1, 0, 0};
  PairEngine first(Metric::mutual_information, Crop::label, small_options(2), before);
  PairEngine second(Metric::mutual_information, Crop::label, small_options(2), after);
  std::set<std::string> tiles;
  for (PairEngine* engine : {&first, &second})
    for (const work::Item& item : engine->tile_items())
      tiles.insert(item.key);
  EXPECT_EQ(tiles.size(), 3U);
  EXPECT_NE(first.matrix_key(), second.matrix_key());
  EXPECT_EQ(first.compute_all().at(0, 3), second.compute_all().at(2, 1));
  PairEngine again(Metric::mutual_information, Crop::label, small_options(2), before);
  EXPECT_EQ(first.matrix_key(), again.matrix_key());
}

TEST(PairEngineTest, SaysWhichTileIsTorn) {
  const Shelf shelf = equal_shapes(3);
  PairEngine engine(Metric::mutual_information, Crop::label, small_options(2), shelf.set());
  EXPECT_THROW(engine.assemble([](const work::Item&) { return TileValues{1}; }),
               core::DataError);
}

TEST(PairEngineTest, RefusesATileOfOtherVolumes) {
  const Shelf three = equal_shapes(3);
  const Shelf two = equal_shapes(2);
  PairEngine large(Metric::mutual_information, Crop::label, small_options(3), three.set());
  PairEngine small(Metric::mutual_information, Crop::label, small_options(3), two.set());
  EXPECT_THROW(small.compute(large.tile_items().at(0)), core::DataError);
}

}  // namespace
}  // namespace proxytune::similarity
