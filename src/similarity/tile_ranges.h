#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "proxytune/similarity/pair_matrix.h"

namespace proxytune::similarity {

inline std::size_t at(int place) {
  return static_cast<std::size_t>(place);
}

inline std::size_t cells(const Tile& tile) {
  return at(tile.row_end - tile.row_begin) * at(tile.column_end - tile.column_begin);
}

inline std::span<const int> between(const std::vector<int>& order, int begin, int end) {
  return std::span(order).subspan(at(begin), at(end - begin));
}

}  // namespace proxytune::similarity
