#include "search/halton.h"

#include <algorithm>
#include <cmath>

namespace proxytune::search {
namespace {

std::uint64_t prime_after(std::uint64_t number) {
  for (;;) {
    ++number;
    bool divides = false;
    for (std::uint64_t factor = 2; factor * factor <= number && !divides; ++factor)
      divides = number % factor == 0;
    if (!divides)
      return number;
  }
}

/// Beyond these a double has no bits.
int places_of(std::uint64_t base) {
  return static_cast<int>(std::ceil(53 / std::log2(static_cast<double>(base))));
}

}  // namespace

Halton::Halton(int dimensions, const core::RandomKey& key) {
  std::uint64_t base = 1;
  for (int i = 0; i < dimensions; ++i) {
    base = prime_after(base);
    Coordinate coordinate{base, {}};
    core::Random random(key.with("halton").with(base));
    for (int place = 0; place < places_of(base); ++place)
      coordinate.permutations.push_back(random.permutation(static_cast<int>(base)));
    coordinates_.push_back(std::move(coordinate));
  }
}

std::vector<double> Halton::point(int index) const {
  std::vector<double> point;
  for (const Coordinate& coordinate : coordinates_) {
    auto rest = static_cast<std::uint64_t>(index);
    double unit = 0;
    double weight = 1;
    // Zeros before the first digit are digits too, and become others.
    for (const std::vector<int>& permutation : coordinate.permutations) {
      weight /= static_cast<double>(coordinate.base);
      unit += weight * permutation[rest % coordinate.base];
      rest /= coordinate.base;
    }
    point.push_back(std::min(unit, std::nextafter(1.0, 0.0)));
  }
  return point;
}

}  // namespace proxytune::search
