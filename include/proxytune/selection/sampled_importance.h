#pragma once

#include <string>
#include <vector>

#include "proxytune/core/table.h"

// The importance of volumes of which only some pairs were compared (see partners.h).
namespace proxytune::selection {

/// A cell of the pair matrix that was compared.
struct PairValue {
  int row = 0, column = 0;
  double similarity = 0;
};

/// The mean of a volume's row, estimated, with its 95 % interval; NaN where one pair of several
/// is known, which says nothing of their spread.
struct ImportanceEstimate {
  double importance = 0;
  double low = 0, high = 0;
  int pairs = 0;  // others that the volume was compared with
};

/// Estimates the mean of each row of the n x n pair matrix from the cells that were compared,
/// in any order; in a symmetric matrix each cell counts for its row and for its column. The
/// pair with itself, where included, is known and not sampled: every volume needs it then.
///
/// With m of the N = n - 1 others compared, the interval of their mean is Student's,
/// t(m - 1) s sqrt((1 - m/N) / m), with the correction for a finite population (Cochran 1977,
/// Sampling Techniques, section 2.8). It assumes a simple random sample without replacement,
/// and that means of m similarities are about normal. The sample of a symmetric matrix is one,
/// given its size, since no similarity has a say in who draws whom. Each interval holds by
/// itself with 95 %, not all of them at once.
///
/// Throws core::DataError for a volume without a pair, and std::invalid_argument for a cell
/// that lies outside or is there twice.
std::vector<ImportanceEstimate> estimate_importance(int volumes,
                                                    const std::vector<PairValue>& compared,
                                                    bool symmetric,
                                                    bool include_self);

std::vector<double> importance_of(const std::vector<ImportanceEstimate>& estimates);

/// How sure the estimates make the choice of the `budget` volumes of lowest importance.
struct Sureness {
  int fewest_pairs = 0, most_pairs = 0;
  double median_width = 0, largest_width = 0;  // of the intervals, NaN where there is none
  int could_leave = 0;  // chosen, but their interval reaches beyond the lowest not chosen
  int could_enter = 0;  // not chosen, but their interval reaches below the highest chosen
};
/// Volumes without an interval may always leave or enter.
Sureness sureness_of(const std::vector<ImportanceEstimate>& estimates, int budget);

/// One sentence for the terminal.
std::string to_text(const Sureness& sureness, int budget, const std::string& unit);

/// The importance table with the columns importance_low, importance_high and pairs.
core::Table importance_table(const std::vector<std::string>& names,
                             const std::vector<ImportanceEstimate>& estimates,
                             const std::string& unit,
                             const std::string& path);

}  // namespace proxytune::selection
