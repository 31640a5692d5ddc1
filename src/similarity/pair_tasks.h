#pragma once

#include <vector>

#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// A part of a block of rows x columns that one thread computes.
struct PairTask {
  int row_begin, row_end;
  int column_begin, column_end;
  Cells cells;
};

/// Squares of at most `largest` rows that cover the block, of a block on the diagonal the cells
/// on and above it; smaller ones where that lets `threads` threads, which take them in their
/// order, end sooner.
std::vector<PairTask> tasks_for_threads(
    int rows, int columns, bool diagonal, int largest, int threads);

}  // namespace proxytune::similarity
