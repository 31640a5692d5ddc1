#pragma once

#include <vector>

#include "proxytune/selection/options.h"
#include "proxytune/similarity/pair_matrix.h"

// Each returns `budget` volumes in the order in which it chose them; the first ones are its
// choice under a smaller budget. Ties go to the lower position: cases lie in the order of their
// ids. Where the matrix is not symmetric, the row is the volume that is rated or represented,
// the column the chosen one that it is compared with, on the grid of the chosen one.
namespace proxytune::selection {

/// The volumes of lowest importance, those least like all others (paper, section 3).
std::vector<int> least_similar(const std::vector<double>& importance, int budget);

/// Begins with the lowest importance and goes on with the volume whose greatest similarity to
/// those chosen is smallest: a diverse set, without near-twins (the greedy k-centre of Gonzalez
/// 1985, Theoretical Computer Science 38; its factor of 2 needs a metric, which these measures
/// are not).
std::vector<int> farthest_point(const similarity::PairMatrix& matrix,
                                const std::vector<double>& importance,
                                int budget);

/// Maximises f(S) = sum over all volumes i, the chosen included, of max over j in S of the
/// similarity (i, j): a set in which every volume has a representative. Where
/// similarities fall below 0, all count from the lowest, so that f grows with S and its gains
/// shrink; then adding the volume of greatest gain reaches at least 1 - 1/e = 63 % of the best
/// f of any set of that size (Nemhauser, Wolsey and Fisher 1978, Mathematical Programming 14;
/// for facility location Cornuejols, Fisher and Nemhauser 1977, Management Science 23). A gain
/// is computed anew only while its last value leads (Minoux 1978), which changes no choice.
std::vector<int> facility_location(const similarity::PairMatrix& matrix, int budget);

/// The proxy data of one arm, ascending.
std::vector<int> proxy_data(Selector selector,
                            const similarity::PairMatrix& matrix,
                            const std::vector<double>& importance,
                            int budget);

}  // namespace proxytune::selection
