#pragma once

#include <string>
#include <vector>

#include "proxytune/core/table.h"
#include "proxytune/selection/options.h"
#include "proxytune/similarity/pair_matrix.h"

namespace proxytune::selection {

/// The value below which `share` (0 to 1) of the values lie, linear between neighbours: at
/// position share (n - 1) of the n sorted values, as numpy.quantile has it (type 7 of Hyndman
/// and Fan 1996). Of at least one value.
double quantile(std::vector<double> values, double share);

/// Importance of each volume: a statistic of its row of the pair matrix (paper, section 3: the
/// mean), the pair with itself included or not. Throws core::DataError where a row has no pair
/// left.
std::vector<double> importance(const similarity::PairMatrix& matrix,
                               const ImportanceOptions& options,
                               bool include_self);

/// Positions by importance, lowest first, ties by position.
std::vector<int> order_of_importance(const std::vector<double>& importance);

/// One row a volume, in the matrix's order: name, importance, the statistic it is, its place in
/// the order (0 = lowest).
core::Table importance_table(const std::vector<std::string>& names,
                             const std::vector<double>& importance,
                             const ImportanceOptions& options,
                             const std::string& unit,
                             const std::string& path);

}  // namespace proxytune::selection
