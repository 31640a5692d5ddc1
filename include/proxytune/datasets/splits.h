#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/datasets/dataset.h"

namespace proxytune::datasets {

/// Positions in a list of cases, each list ascending.
struct Split {
  std::vector<int> training;
  std::vector<int> validation;
};

/// Cases for validation out of `cases`: the fraction, rounded, but 1 at least and not all.
int validation_count(int cases, double fraction);

/// Draws whole groups (patients) for validation, in random order; a group that would go beyond
/// `validation_count` cases is passed over for a later, smaller one. So validation holds
/// `validation_count` cases, fewer where the drawn groups do not add up to it, and one whole
/// group at least. `groups` has one name a case; the draw depends on the key and the names, not
/// on their order. Throws core::ConfigurationError where no split leaves a case on both sides.
Split random_split(const std::vector<std::string>& groups,
                   int validation_count,
                   const core::RandomKey& key);
Split random_split(const std::vector<Case>& cases,
                   int validation_count,
                   const core::RandomKey& key);

/// The user's own splits: a JSON list of {"training": [ids], "validation": [ids]}, or nnU-Net's
/// splits_final.json with "train" and "val". Throws core::DataError for unknown ids (naming the
/// nearest), for an empty side, for a case on both sides or twice on one, for a group on both.
std::vector<Split> read_splits(const std::filesystem::path& file,
                               const std::vector<Case>& cases);

}  // namespace proxytune::datasets
