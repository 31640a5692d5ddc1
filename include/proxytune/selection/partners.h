#pragma once

#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/similarity/pair_matrix.h"

// Which pairs a sampled ranking compares, for sets of volumes whose n^2 pairs are too many.
namespace proxytune::selection {

/// For each volume the positions of `count` others, ascending: a simple random sample without
/// replacement; all others where there are no more. The draw of a volume depends on the key, on
/// its own content key and on the others', never on their order; another volume more takes the
/// place of at most one partner of each. Throws std::invalid_argument for a content key that is
/// there twice, or a negative count.
///
/// It takes n^2 hashes, less than a second for 10,000 volumes: cheap beside the comparisons.
std::vector<std::vector<int>> draw_partners(const std::vector<std::string>& content_keys,
                                            const core::RandomKey& key,
                                            int count);

/// What is to be compared, each once, by row and then column. In a symmetric matrix a pair that
/// one volume drew serves both, and row <= column.
std::vector<similarity::Cell> sampled_pairs(const std::vector<std::vector<int>>& partners,
                                            bool symmetric,
                                            bool include_self);

}  // namespace proxytune::selection
