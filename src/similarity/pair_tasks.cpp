#include "pair_tasks.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace proxytune::similarity {
namespace {

/// Squares of at most `edge`; of a block on the diagonal those on and above it.
std::vector<PairTask> tasks_of(int rows, int columns, bool diagonal, int edge) {
  std::vector<PairTask> tasks;
  for (int row = 0; row < rows; row += edge)
    for (int column = diagonal ? row : 0; column < columns; column += edge)
      tasks.push_back({row,
                       std::min(row + edge, rows),
                       column,
                       std::min(column + edge, columns),
                       diagonal && row == column ? Cells::upper : Cells::all});
  return tasks;
}

/// When the last of the threads is done, which take tasks in their order; in pairs, a task's
/// fetching of images counted too. Measured: an image costs as much as a sixth of a pair.
double time_of(const std::vector<PairTask>& tasks, int threads) {
  std::vector<double> busy(static_cast<std::size_t>(threads), 0.0);
  for (const PairTask& task : tasks) {
    const int rows = task.row_end - task.row_begin;
    const int columns = task.column_end - task.column_begin;
    const int pairs = task.cells == Cells::upper ? rows * (rows + 1) / 2 : rows * columns;
    *std::min_element(busy.begin(), busy.end()) += pairs + (rows + columns) / 6.0;
  }
  return *std::max_element(busy.begin(), busy.end());
}

}  // namespace

// Large squares share what they fetch; smaller ones leave no thread waiting for another.
std::vector<PairTask> tasks_for_threads(
    int rows, int columns, bool diagonal, int largest, int threads) {
  std::vector<PairTask> best = tasks_of(rows, columns, diagonal, largest);
  for (int edge = largest - 1; edge > 0 && threads > 1; --edge) {
    std::vector<PairTask> tasks = tasks_of(rows, columns, diagonal, edge);
    if (time_of(tasks, threads) < time_of(best, threads))
      best = std::move(tasks);
  }
  return best;
}

}  // namespace proxytune::similarity
