#include "src/similarity/pair_tasks.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include <gtest/gtest.h>

namespace proxytune::similarity {
namespace {

using Times = std::map<std::pair<int, int>, int>;

Times cells_of(const std::vector<PairTask>& tasks) {
  Times times;
  for (const PairTask& task : tasks)
    for (int row = task.row_begin; row < task.row_end; ++row)
      for (int column = task.column_begin; column < task.column_end; ++column)
        if (task.cells == Cells::all || column >= row)
          ++times[{row, column}];
  return times;
}

TEST(PairTasksTest, CoverEachCellOnce) {
  for (const int rows : {1, 7, 24, 33})
    for (const int columns : {1, 24, 40})
      for (const int threads : {1, 2, 3, 16})
        for (const bool diagonal : {false, true}) {
          const int width = diagonal ? rows : columns;
          const Times times = cells_of(tasks_for_threads(rows, width, diagonal, 8, threads));
          const int cells = diagonal ? rows * (rows + 1) / 2 : rows * width;
          EXPECT_EQ(static_cast<int>(times.size()), cells);
          for (const auto& [cell, count] : times) {
            EXPECT_EQ(count, 1);
            EXPECT_TRUE(!diagonal || cell.second >= cell.first);
          }
        }
}

TEST(PairTasksTest, AreAsLargeAsTheyMayBeForOneThread) {
  const auto tasks = tasks_for_threads(24, 24, false, 8, 1);
  ASSERT_EQ(tasks.size(), 9U);
  for (const PairTask& task : tasks)
    EXPECT_EQ(task.row_end - task.row_begin, 8);
}

TEST(PairTasksTest, LeaveNoThreadIdle) {
  // Nine squares of 8 x 8 would keep one of two threads waiting for a fifth square.
  for (const int threads : {2, 3, 4}) {
    std::vector<int> busy(static_cast<std::size_t>(threads), 0);
    for (const PairTask& task : tasks_for_threads(24, 24, false, 8, threads))
      *std::min_element(busy.begin(), busy.end()) +=
          (task.row_end - task.row_begin) * (task.column_end - task.column_begin);
    EXPECT_LE(*std::max_element(busy.begin(), busy.end()), 24 * 24 / threads + 8);
  }
}

}  // namespace
}  // namespace proxytune::similarity
