// What the pieces of a pair matrix are, what names them, and how they make rows of it.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "prepared_cache.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/similarity/pair_engine.h"
#include "tile_ranges.h"

namespace proxytune::similarity {

std::vector<Tile> PairEngine::tiles() const {
  return symmetric_ ? tile_upper_triangle(rows_.blocks)
                    : tile_rectangle(rows_.blocks, columns_.blocks);
}

bool PairEngine::on_diagonal(const Tile& tile) const {
  return symmetric_ && tile.row_begin == tile.column_begin;
}

void PairEngine::hash_measure(core::ContentHasher& hasher) const {
  hasher.add(measures_.front()->identity());
  hasher.add(crop_ == Crop::label ? "label crop, cube " + std::to_string(options_.cube)
                                  : std::string("rows on the grids of the columns"));
}

std::string PairEngine::row_key(int row, std::span<const std::int64_t> columns) const {
  core::ContentHasher hasher;
  hasher.add("pairs of a row 1");
  hash_measure(hasher);
  hasher.add(rows_.keys[at(row)]);
  for (const std::int64_t column : columns)
    hasher.add(columns_.keys[static_cast<std::size_t>(column)]);
  return hasher.hexadecimal();
}

std::string PairEngine::tile_key(const Tile& tile) const {
  core::ContentHasher hasher;
  hasher.add("pair tile 2");
  // Of a tile on the diagonal, a symmetric matrix computes the upper half only.
  hasher.add(symmetric_ ? "symmetric" : "rectangular");
  hash_measure(hasher);
  hasher.add("rows");
  for (int row = tile.row_begin; row < tile.row_end; ++row)
    hasher.add(rows_.keys[at(rows_.order[at(row)])]);
  hasher.add("columns");
  for (int column = tile.column_begin; column < tile.column_end; ++column)
    hasher.add(columns_.keys[at(columns_.order[at(column)])]);
  return hasher.hexadecimal();
}

work::Item PairEngine::item_of(const Tile& tile) const {
  work::Item item;
  item.key = tile_key(tile);
  item.what.set("row_begin", std::int64_t{tile.row_begin})
      .set("row_end", std::int64_t{tile.row_end})
      .set("column_begin", std::int64_t{tile.column_begin})
      .set("column_end", std::int64_t{tile.column_end});
  // Full tiles alike, so that neighbours stay neighbours; the half and the torn ones last.
  item.expected_cost = static_cast<double>(cells(tile)) * (on_diagonal(tile) ? 0.5 : 1.0);
  return item;
}

std::vector<work::Item> PairEngine::tile_items() const {
  std::vector<work::Item> items;
  for (const Tile& tile : tiles())
    items.push_back(item_of(tile));
  return items;
}

std::string PairEngine::matrix_key() const {
  core::ContentHasher hasher;
  hasher.add("pair matrix 2");
  for (const Tile& tile : tiles())
    hasher.add(tile_key(tile));
  // Tiles go by the order of arrival, rows and columns by position: equal tiles may lie
  // elsewhere.
  for (const Side* side : {&rows_, &columns_})
    for (const std::string& key : side->keys)
      hasher.add(key);
  return hasher.hexadecimal();
}

std::vector<work::Item> PairEngine::row_items(const std::vector<Cell>& cells) const {
  std::vector<work::Item> items;
  for (auto cell = cells.begin(); cell != cells.end();) {
    const int row = cell->row;
    std::vector<std::int64_t> columns;
    for (; cell != cells.end() && cell->row == row; ++cell)
      columns.push_back(cell->column);
    work::Item item;
    item.key = row_key(row, columns);
    item.expected_cost = static_cast<double>(columns.size());
    item.what.set("row", std::int64_t{row}).set("columns", std::move(columns));
    items.push_back(std::move(item));
  }
  return items;
}

/// The tiles that hold rows of the block; of a symmetric matrix also those that hold them as
/// columns.
std::vector<Tile> PairEngine::tiles_of_rows(const Block& block) const {
  if (!symmetric_)
    return tile_rectangle({block}, columns_.blocks);
  std::vector<Tile> tiles;
  for (const Block& other : rows_.blocks) {
    const auto [first, second] = std::minmax(
        block, other, [](const Block& a, const Block& b) { return a.begin < b.begin; });
    tiles.push_back({first.begin, first.end, second.begin, second.end});
  }
  return tiles;
}

MatrixRows PairEngine::assemble_rows(int row_block, const ValuesOf& values_of) const {
  const Block& block = rows_.blocks[at(row_block)];
  const auto own = between(rows_.order, block.begin, block.end);
  MatrixRows rows{{own.begin(), own.end()}, {}};
  rows.values.resize(rows.volumes.size() * at(columns_.set.size));
  const auto put = [&](int row, int column, double value) {
    rows.values[at(row - block.begin) * at(columns_.set.size) +
                at(columns_.order[at(column)])] = value;
  };
  for (const Tile& tile : tiles_of_rows(block)) {
    const TileValues values = values_of(item_of(tile));
    if (values.size() != cells(tile))
      throw core::DataError("the tile of rows " + std::to_string(tile.row_begin) +
                            " and columns " + std::to_string(tile.column_begin) +
                            " of the pair matrix is torn; run the rank stage again.");
    const bool as_rows = tile.row_begin == block.begin;
    auto value = values.begin();
    for (int row = tile.row_begin; row < tile.row_end; ++row)
      for (int column = tile.column_begin; column < tile.column_end; ++column, ++value)
        as_rows ? put(row, column, *value) : put(column, row, *value);
  }
  return rows;
}

PairMatrix PairEngine::assemble(const ValuesOf& values_of) const {
  std::vector<double> values(at(rows()) * at(columns()));
  for (int block = 0; block < row_blocks(); ++block) {
    const MatrixRows some = assemble_rows(block, values_of);
    auto from = some.values.begin();
    for (const int volume : some.volumes) {
      const auto end = from + columns();
      std::copy(from, end, values.begin() + std::ptrdiff_t{volume} * columns());
      from = end;
    }
  }
  return {rows(), columns(), std::move(values)};
}

}  // namespace proxytune::similarity
