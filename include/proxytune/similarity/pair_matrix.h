#pragma once

#include <compare>
#include <string>
#include <vector>

#include "proxytune/core/table.h"

namespace proxytune::similarity {

/// Similarities of all pairs, in C order; copies share them. Within one set of n volumes it is
/// n x n; row i holds what rates volume i.
struct PairMatrix {
  int rows = 0, columns = 0;
  core::Doubles values;

  /// Throws std::out_of_range.
  double at(int row, int column) const;
};

/// A pair of volumes, by position.
struct Cell {
  int row = 0, column = 0;
  auto operator<=>(const Cell&) const = default;
};

/// A square block of the pair matrix, the unit of work that a rank is handed.
struct Tile {
  int row_begin = 0, row_end = 0;
  int column_begin = 0, column_end = 0;
  bool operator==(const Tile&) const = default;
};

/// Some volumes that are neighbours in the order of a matrix: a tile's edge.
struct Block {
  int begin = 0, end = 0;
  bool operator==(const Block&) const = default;
};

/// Cuts volumes, given by the batch in which each arrived (never falling), into blocks of at
/// most `edge` within each batch; 0: a twelfth of the batch in steps of 8, from 8 to 64, so
/// that there are tiles for many ranks whatever their number. Steps of 8, since so many volumes
/// are compared with so many others at once.
std::vector<Block> blocks_of(const std::vector<int>& batches, int edge);

/// The tiles of an n x n matrix that hold its upper triangle (of a tile on the diagonal only
/// the upper half counts), row by row.
std::vector<Tile> tile_upper_triangle(const std::vector<Block>& blocks);

/// The tiles of a full matrix, row by row.
std::vector<Tile> tile_rectangle(const std::vector<Block>& rows,
                                 const std::vector<Block>& columns);

/// A cell of a cross matrix, most similar first.
struct SimilarPair {
  int row = 0, column = 0;
  double similarity = 0;
  bool operator==(const SimilarPair&) const = default;
};

/// The cells that reach the threshold, e.g. internal against external volumes with squared
/// local NCC above 0.9; ties by row, then column.
std::vector<SimilarPair> near_duplicates(const PairMatrix& matrix, double threshold);

/// One row a volume: its name and its row of the matrix, a column of shape (rows, columns).
core::Table to_table(const PairMatrix& matrix,
                     const std::vector<std::string>& row_names,
                     const std::string& unit,
                     const std::string& path,
                     const std::string& description);
core::Table to_table(const std::vector<SimilarPair>& pairs,
                     const std::vector<std::string>& row_names,
                     const std::vector<std::string>& column_names,
                     const std::string& unit,
                     const std::string& path,
                     const std::string& description);

}  // namespace proxytune::similarity
