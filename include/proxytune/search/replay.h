#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxytune/search/space.h"

namespace proxytune::search {

/// Whose points the method replay proposes.
struct ReplayOptions {
  std::string points{};
  std::string arm{};
};

template <class Fields>
void describe(Fields& fields, ReplayOptions& options) {
  fields(
      "points",
      options.points,
      "a list of hyper-parameters: results.h5 of an earlier study, CSV with a column a field, "
      "or YAML, a list of mappings; relative to the study file, ${NAME} stands for an "
      "environment variable");
  fields(
      "arm",
      options.arm,
      "of results.h5: the arm whose search is replayed; empty: the one with the name of each "
      "arm here");
}

/// Throws core::FieldError.
void validate(const ReplayOptions& options);

/// A point as a list has it: texts by field, or by its column in the results ("training_loss"
/// is training.loss), empty where the point says nothing of it. Other entries than fields are
/// not looked at.
using ListedPoint = std::map<std::string, std::string>;

/// The points as coordinates of this space, at which at() gives exactly their values. Throws
/// core::DataError for one that is not of the space, or lacks a field of it, or has another
/// value than `base` in what is not searched; `base` has the study's value of every training
/// option.
std::vector<std::vector<double>> replayed(const std::vector<ListedPoint>& points,
                                          const SearchSpace& space,
                                          const trials::HyperParameters& base);

}  // namespace proxytune::search
