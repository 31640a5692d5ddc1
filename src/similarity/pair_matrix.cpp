#include "proxytune/similarity/pair_matrix.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <tuple>

namespace proxytune::similarity {
namespace {

constexpr int step_of_edges = 8;
constexpr int largest_edge = 64;
constexpr int blocks_a_batch = 12;

int edge_for(int volumes) {
  constexpr int part = step_of_edges * blocks_a_batch;
  return std::clamp((volumes + part - 1) / part * step_of_edges, step_of_edges, largest_edge);
}

}  // namespace

double PairMatrix::at(int row, int column) const {
  if (row < 0 || row >= rows || column < 0 || column >= columns)
    throw std::out_of_range("a cell outside the pair matrix");
  return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
                static_cast<std::size_t>(column)];
}

std::vector<Block> blocks_of(const std::vector<int>& batches, int edge) {
  std::vector<Block> blocks;
  const auto volumes = static_cast<int>(batches.size());
  for (int begin = 0; begin < volumes;) {
    const auto first = batches.begin() + begin;
    const auto end =
        static_cast<int>(std::upper_bound(first, batches.end(), *first) - batches.begin());
    const int step = edge > 0 ? edge : edge_for(end - begin);
    for (; begin < end; begin = blocks.back().end)
      blocks.push_back({begin, begin + std::min(step, end - begin)});
  }
  return blocks;
}

std::vector<Tile> tile_upper_triangle(const std::vector<Block>& blocks) {
  std::vector<Tile> tiles;
  for (std::size_t row = 0; row < blocks.size(); ++row)
    for (std::size_t column = row; column < blocks.size(); ++column)
      tiles.push_back(
          {blocks[row].begin, blocks[row].end, blocks[column].begin, blocks[column].end});
  return tiles;
}

std::vector<Tile> tile_rectangle(const std::vector<Block>& rows,
                                 const std::vector<Block>& columns) {
  std::vector<Tile> tiles;
  for (const Block& row : rows)
    for (const Block& column : columns)
      tiles.push_back({row.begin, row.end, column.begin, column.end});
  return tiles;
}

std::vector<SimilarPair> near_duplicates(const PairMatrix& matrix, double threshold) {
  std::vector<SimilarPair> pairs;
  for (int row = 0; row < matrix.rows; ++row)
    for (int column = 0; column < matrix.columns; ++column)
      if (matrix.at(row, column) >= threshold)
        pairs.push_back({row, column, matrix.at(row, column)});
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& one, const auto& other) {
    return one.similarity > other.similarity;
  });
  return pairs;
}

core::Table to_table(const PairMatrix& matrix,
                     const std::vector<std::string>& row_names,
                     const std::string& unit,
                     const std::string& path,
                     const std::string& description) {
  core::Table table{path, description, {}};
  table.add("case", "1", "Name of the volume of this row.", row_names);
  table.add(
      "similarity",
      unit,
      "Similarity of the row's volume to each volume of the matrix's columns, in their order.",
      matrix.values,
      {static_cast<std::size_t>(matrix.rows), static_cast<std::size_t>(matrix.columns)});
  core::validate(table);
  return table;
}

core::Table to_table(const std::vector<SimilarPair>& pairs,
                     const std::vector<std::string>& row_names,
                     const std::vector<std::string>& column_names,
                     const std::string& unit,
                     const std::string& path,
                     const std::string& description) {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<double> similarities;
  for (const SimilarPair& pair : pairs) {
    rows.push_back(row_names.at(static_cast<std::size_t>(pair.row)));
    columns.push_back(column_names.at(static_cast<std::size_t>(pair.column)));
    similarities.push_back(pair.similarity);
  }
  core::Table table{path, description, {}};
  table.add("internal_case", "1", "Name of the volume of the first set.", rows);
  table.add(
      "external_case", "1", "Name of the volume of the second set that resembles it.", columns);
  table.add("similarity", unit, "Similarity of the two volumes.", similarities);
  return table;
}

}  // namespace proxytune::similarity
