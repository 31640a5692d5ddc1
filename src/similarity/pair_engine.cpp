#include "proxytune/similarity/pair_engine.h"

#include <algorithm>
#include <utility>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::similarity {
namespace {

bool all_equal(const std::vector<imaging::Shape>& shapes) {
  return std::adjacent_find(shapes.begin(), shapes.end(), std::not_equal_to<>()) ==
         shapes.end();
}

Tile tile_of(const work::Item& item) {
  const auto extent = [&](const char* name) {
    return static_cast<int>(item.what.integer(name));
  };
  return {extent("row_begin"), extent("row_end"), extent("column_begin"), extent("column_end")};
}

std::size_t cells(const Tile& tile) {
  return static_cast<std::size_t>(tile.row_end - tile.row_begin) *
         static_cast<std::size_t>(tile.column_end - tile.column_begin);
}

}  // namespace

PairEngine::PairEngine(Metric metric,
                       Crop crop,
                       const SimilarityOptions& options,
                       SubjectSet volumes)
    : crop_(crop),
      options_(options),
      measure_(make_measure(metric, options)),
      rows_(side(std::move(volumes))),
      columns_(rows_),
      symmetric_(all_equal(rows_.shapes)) {}

PairEngine::PairEngine(Metric metric,
                       Crop crop,
                       const SimilarityOptions& options,
                       SubjectSet rows,
                       SubjectSet columns)
    : crop_(crop),
      options_(options),
      measure_(make_measure(metric, options)),
      rows_(side(std::move(rows))),
      columns_(side(std::move(columns))) {}

PairEngine::Side PairEngine::side(SubjectSet set) const {
  Side side;
  for (int volume = 0; volume < set.size; ++volume) {
    const Subject subject = set.at(volume);
    side.keys.push_back(subject.key);
    side.shapes.push_back(crop_ == Crop::label
                              ? imaging::Shape{options_.cube, options_.cube, options_.cube}
                              : subject.image.shape);
  }
  side.set = std::move(set);
  return side;
}

std::vector<Tile> PairEngine::tiles() const {
  return symmetric_ ? tile_upper_triangle(rows_.set.size, options_.tile)
                    : tile_rectangle(rows_.set.size, columns_.set.size, options_.tile);
}

bool PairEngine::on_diagonal(const Tile& tile) const {
  return symmetric_ && tile.row_begin == tile.column_begin;
}

std::string PairEngine::tile_key(const Tile& tile) const {
  core::ContentHasher hasher;
  hasher.add("pair tile 1");
  // Of a tile on the diagonal, a symmetric matrix computes the upper half only.
  hasher.add(symmetric_ ? "symmetric" : "rectangular");
  hasher.add(measure_->identity());
  hasher.add(crop_ == Crop::label ? "label crop, cube " + std::to_string(options_.cube)
                                  : std::string("rows on the grids of the columns"));
  hasher.add("rows");
  for (int row = tile.row_begin; row < tile.row_end; ++row)
    hasher.add(rows_.keys[static_cast<std::size_t>(row)]);
  hasher.add("columns");
  for (int column = tile.column_begin; column < tile.column_end; ++column)
    hasher.add(columns_.keys[static_cast<std::size_t>(column)]);
  return hasher.hexadecimal();
}

std::vector<work::Item> PairEngine::tile_items() const {
  std::vector<work::Item> items;
  for (const Tile& tile : tiles()) {
    work::Item item;
    item.key = tile_key(tile);
    item.what.set("row_begin", std::int64_t{tile.row_begin})
        .set("row_end", std::int64_t{tile.row_end})
        .set("column_begin", std::int64_t{tile.column_begin})
        .set("column_end", std::int64_t{tile.column_end});
    item.expected_cost = static_cast<double>(cells(tile)) * (on_diagonal(tile) ? 0.5 : 1.0);
    items.push_back(std::move(item));
  }
  return items;
}

PairEngine::Prepared PairEngine::prepared(const Side& side, int volume) const {
  return prepared(side, volume, side.shapes[static_cast<std::size_t>(volume)]);
}

PairEngine::Prepared PairEngine::prepared(const Side& side,
                                          int volume,
                                          const imaging::Shape& shape) const {
  const Subject subject = side.set.at(volume);
  if (crop_ == Crop::label)
    return measure_->prepare(imaging::view(label_cube(subject, options_.cube)));
  if (subject.image.shape == shape)
    return measure_->prepare(subject.image);
  return measure_->prepare(imaging::view(imaging::resize_trilinear(subject.image, shape)));
}

void PairEngine::keep_columns(const Tile& tile) {
  std::erase_if(kept_columns_, [&](const auto& kept) {
    return kept.first < tile.column_begin || kept.first >= tile.column_end;
  });
  for (int column = tile.column_begin; column < tile.column_end; ++column)
    if (!kept_columns_.contains(column))
      kept_columns_[column] = prepared(columns_, column);
}

std::vector<double> PairEngine::tile_values(const Tile& tile) {
  keep_columns(tile);
  const bool diagonal = on_diagonal(tile);
  const auto width = static_cast<std::size_t>(tile.column_end - tile.column_begin);
  std::vector<double> values(cells(tile));
  const auto value = [&](int row, int column) -> double& {
    return values[static_cast<std::size_t>(row - tile.row_begin) * width +
                  static_cast<std::size_t>(column - tile.column_begin)];
  };
  for (int row = tile.row_begin; row < tile.row_end; ++row) {
    std::vector<std::pair<imaging::Shape, Prepared>> on_grids;
    const auto on_grid = [&](const imaging::Shape& shape) -> const PreparedImage& {
      const auto found = std::find_if(on_grids.begin(), on_grids.end(), [&](const auto& grid) {
        return grid.first == shape;
      });
      if (found != on_grids.end())
        return *found->second;
      on_grids.emplace_back(shape, prepared(rows_, row, shape));
      return *on_grids.back().second;
    };
    if (diagonal)
      on_grids.emplace_back(rows_.shapes.front(), kept_columns_.at(row));
    for (int column = diagonal ? row : tile.column_begin; column < tile.column_end; ++column) {
      const auto& shape = columns_.shapes[static_cast<std::size_t>(column)];
      value(row, column) = measure_->compare(on_grid(shape), *kept_columns_.at(column));
      if (diagonal)
        value(column, row) = value(row, column);
    }
  }
  return values;
}

work::Record PairEngine::compute(const work::Item& item) {
  const Tile tile = tile_of(item);
  if (tile.row_begin < 0 || tile.row_end > rows_.set.size || tile.column_begin < 0 ||
      tile.column_end > columns_.set.size || tile_key(tile) != item.key)
    throw core::DataError(
        "a tile of the pair matrix names volumes that this run does not have; "
        "all ranks must start the same study.");
  work::Record result;
  result.set("values", tile_values(tile));
  return result;
}

PairMatrix PairEngine::assemble(const std::map<std::string, work::Record>& results) const {
  PairMatrix matrix{rows_.set.size, columns_.set.size, {}};
  matrix.values.resize(static_cast<std::size_t>(matrix.rows) *
                       static_cast<std::size_t>(matrix.columns));
  for (const Tile& tile : tiles()) {
    const auto found = results.find(tile_key(tile));
    if (found == results.end() || found->second.numbers("values").size() != cells(tile))
      throw core::DataError("the tile of rows " + std::to_string(tile.row_begin) +
                            " and columns " + std::to_string(tile.column_begin) +
                            " is missing from the pair matrix; run the rank stage again.");
    auto value = found->second.numbers("values").begin();
    for (int row = tile.row_begin; row < tile.row_end; ++row)
      for (int column = tile.column_begin; column < tile.column_end; ++column) {
        matrix.at(row, column) = *value;
        if (symmetric_)
          matrix.at(column, row) = *value;
        ++value;
      }
  }
  return matrix;
}

PairMatrix PairEngine::compute_all() {
  std::map<std::string, work::Record> results;
  for (const work::Item& item : tile_items())
    if (!results.contains(item.key))
      results[item.key] = compute(item);
  return assemble(results);
}

}  // namespace proxytune::similarity
