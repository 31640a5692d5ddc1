#pragma once

#include <cstddef>
#include <vector>

namespace proxytune::search {

/// One point of a search space: a coordinate in [0,1] for a range, the number of the choice for
/// choices.
using Place = std::vector<double>;

/// How similar the values at two places are, and how noisy one value is.
struct Similarity {
  std::vector<double> lengths;  // one a dimension, in units of its range; of choices, 1 is the
                                // distance between any two
  double noise = 0.03;          // variance of a value's noise as a share of the signal's
};

/// A Gaussian process with a constant mean and Matern 5/2 correlations, a length for each
/// dimension (Rasmussen and Williams 2006, Eq. 2.25, 4.17): what values are to be expected
/// elsewhere. All in double, on the caller's thread, in a fixed order. Mean and signal variance
/// are those of largest likelihood; values should be of the order of 1.
class GaussianProcess {
 public:
  struct Expectation {
    double mean = 0;
    double deviation = 0;  // of the noise-free value
  };

  /// `choices` of each dimension, 0 for a range.
  GaussianProcess(std::vector<int> choices, Similarity similarity);

  void condition_on(const std::vector<Place>& places, const std::vector<double>& values);
  /// Takes one more place as if its value were known to be as expected: what is still open
  /// draws no second proposal to the same spot.
  void believe(const Place& place);

  Expectation at(const Place& place) const;
  /// Log likelihood of the values, up to a constant.
  double log_likelihood() const { return log_likelihood_; }

 private:
  double correlation(const Place& a, const Place& b) const;
  void append(const Place& place, double noise);
  void solve();
  /// `values` := inverse of the Cholesky factor times `values`.
  void forward(std::vector<double>& values) const;

  std::vector<int> choices_;
  Similarity similarity_;
  std::vector<double> inverse_squares_;  // 1 / length^2
  std::vector<Place> places_;
  std::vector<double> values_;
  std::vector<std::vector<double>> factor_;  // lower triangle of the Cholesky factor, by rows
  std::vector<double> weights_;              // inverse of the factor times (values - mean)
  double mean_ = 0;
  double variance_ = 1;
  double log_likelihood_ = 0;
};

/// The similarity under which the values are likeliest, given how smooth such surfaces tend to
/// be: a pattern search from a fixed start over logarithms, so that equal values give equal
/// numbers.
Similarity likeliest_similarity(const std::vector<int>& choices,
                                const std::vector<Place>& places,
                                const std::vector<double>& values);

}  // namespace proxytune::search
