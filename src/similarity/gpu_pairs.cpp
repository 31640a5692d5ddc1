#include "gpu_pairs.h"

#include <algorithm>

namespace proxytune::similarity {
namespace {

/// Of scratch memory that a piece's pairs take.
constexpr std::size_t piece_bytes = std::size_t{128} << 20U;

/// The bits of row and column in turn (Morton's order).
std::uint64_t interleaved(std::size_t row, std::size_t column) {
  std::uint64_t place = 0;
  for (unsigned bit = 0; bit < 32; ++bit)
    place |= (std::uint64_t{row} >> bit & 1U) << (2 * bit + 1) |
             (std::uint64_t{column} >> bit & 1U) << (2 * bit);
  return place;
}

}  // namespace

std::vector<GpuPair> pairs_of(std::size_t rows, std::size_t columns, Cells cells) {
  std::vector<std::pair<std::uint64_t, GpuPair>> placed;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = cells == Cells::upper ? row : 0; column < columns; ++column)
      placed.push_back(
          {interleaved(row, column), {static_cast<int>(row), static_cast<int>(rows + column)}});
  std::sort(placed.begin(), placed.end(), [](const auto& one, const auto& other) {
    return one.first < other.first;
  });
  std::vector<GpuPair> pairs;
  for (const auto& [place, pair] : placed)
    pairs.push_back(pair);
  return pairs;
}

void put_values(std::span<const GpuPair> pairs,
                std::span<const double> of_pairs,
                std::size_t rows,
                std::size_t columns,
                Cells cells,
                std::span<double> values) {
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto row = static_cast<std::size_t>(pairs[p].row);
    const std::size_t column = static_cast<std::size_t>(pairs[p].column) - rows;
    values[row * columns + column] = of_pairs[p];
    if (cells == Cells::upper)
      values[column * columns + row] = of_pairs[p];
  }
}

void in_pieces(
    std::size_t count,
    std::size_t bytes_a_pair,
    const std::function<void(std::size_t first, std::size_t pairs, int stream)>& use) {
  const std::size_t largest = std::max<std::size_t>(1, piece_bytes / bytes_a_pair);
  int stream = 0;
  for (std::size_t first = 0; first < count; first += largest) {
    use(first, std::min(largest, count - first), stream);
    stream = 1 - stream;
  }
}

}  // namespace proxytune::similarity
