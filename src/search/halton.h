#pragma once

#include <cstdint>
#include <vector>

#include "proxytune/core/random.h"

namespace proxytune::search {

/// The scrambled Halton sequence: coordinate i of point n is n's digits in the i-th prime
/// number as base, mirrored at the point, each place's digits permuted by a keyed permutation
/// of its own. Any leading part of it fills the unit cube more evenly than random points do.
class Halton {
 public:
  Halton(int dimensions, const core::RandomKey& key);
  /// In [0, 1)^dimensions.
  std::vector<double> point(int index) const;

 private:
  struct Coordinate {
    std::uint64_t base = 2;
    std::vector<std::vector<int>> permutations;  // one a place
  };
  std::vector<Coordinate> coordinates_;
};

}  // namespace proxytune::search
