#include "proxytune/similarity/pair_matrix.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <tuple>

namespace proxytune::similarity {
namespace {

std::size_t cell(const PairMatrix& matrix, int row, int column) {
  if (row < 0 || row >= matrix.rows || column < 0 || column >= matrix.columns)
    throw std::out_of_range("a cell outside the pair matrix");
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(matrix.columns) +
         static_cast<std::size_t>(column);
}

void check_edge(int edge) {
  if (edge < 1)
    throw std::invalid_argument("a tile without volumes");
}

}  // namespace

double PairMatrix::at(int row, int column) const {
  return values[cell(*this, row, column)];
}
double& PairMatrix::at(int row, int column) {
  return values[cell(*this, row, column)];
}

std::vector<Tile> tile_upper_triangle(int volumes, int edge) {
  check_edge(edge);
  std::vector<Tile> tiles;
  for (int row = 0; row < volumes; row += edge)
    for (int column = row; column < volumes; column += edge)
      tiles.push_back(
          {row, std::min(row + edge, volumes), column, std::min(column + edge, volumes)});
  return tiles;
}

std::vector<Tile> tile_rectangle(int rows, int columns, int edge) {
  check_edge(edge);
  std::vector<Tile> tiles;
  for (int row = 0; row < rows; row += edge)
    for (int column = 0; column < columns; column += edge)
      tiles.push_back(
          {row, std::min(row + edge, rows), column, std::min(column + edge, columns)});
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
