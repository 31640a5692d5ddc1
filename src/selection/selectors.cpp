#include "proxytune/selection/selectors.h"

#include <algorithm>
#include <limits>
#include <queue>

#include "proxytune/selection/importance.h"
#include "proxytune/selection/selection.h"

namespace proxytune::selection {
namespace {

/// A volume with its gain as it was when so many others had been chosen.
struct Candidate {
  double gain = 0;
  int volume = 0;
  std::size_t known_at = 0;
  /// Less urgent; of equal gains the lower position goes first.
  bool operator<(const Candidate& other) const {
    return gain != other.gain ? gain < other.gain : volume > other.volume;
  }
};

/// How much better all volumes are represented once `volume` is chosen. With `best` growing, no
/// term grows, nor does their sum in this order, rounding included: an old gain is a bound.
double gain_of(const similarity::PairMatrix& matrix,
               const std::vector<double>& best,
               int volume) {
  double gain = 0;
  for (int row = 0; row < matrix.rows; ++row)
    gain += std::max(0.0, matrix.at(row, volume) - best[static_cast<std::size_t>(row)]);
  return gain;
}

/// `greatest` becomes each row's greatest similarity to the chosen ones, of which `volume` is
/// the last.
void heed(const similarity::PairMatrix& matrix, int volume, std::vector<double>& greatest) {
  for (int row = 0; row < matrix.rows; ++row) {
    double& mine = greatest[static_cast<std::size_t>(row)];
    mine = std::max(mine, matrix.at(row, volume));
  }
}

}  // namespace

std::vector<int> least_similar(const std::vector<double>& importance, int budget) {
  check_budget(budget, static_cast<int>(importance.size()));
  std::vector<int> order = order_of_importance(importance);
  order.resize(static_cast<std::size_t>(budget));
  return order;
}

std::vector<int> farthest_point(const similarity::PairMatrix& matrix,
                                const std::vector<double>& importance,
                                int budget) {
  check_budget(budget, matrix.rows);
  std::vector<double> greatest(importance.size(), -std::numeric_limits<double>::infinity());
  std::vector<int> rest = order_of_importance(importance);
  std::vector<int> chosen{rest.front()};
  std::sort(rest.begin(), rest.end());
  while (static_cast<int>(chosen.size()) < budget) {
    std::erase(rest, chosen.back());
    heed(matrix, chosen.back(), greatest);
    chosen.push_back(*std::min_element(rest.begin(), rest.end(), [&](int one, int other) {
      return greatest[static_cast<std::size_t>(one)] <
             greatest[static_cast<std::size_t>(other)];
    }));
  }
  return chosen;
}

std::vector<int> facility_location(const similarity::PairMatrix& matrix, int budget) {
  check_budget(budget, matrix.rows);
  // Who is not represented counts as the least similar pair, where similarities fall below 0.
  const double floor =
      std::min(0.0, *std::min_element(matrix.values.begin(), matrix.values.end()));
  std::vector<double> greatest(static_cast<std::size_t>(matrix.rows), floor);
  std::priority_queue<Candidate> candidates;
  for (int volume = 0; volume < matrix.columns; ++volume)
    candidates.push({gain_of(matrix, greatest, volume), volume, 0});
  std::vector<int> chosen;
  while (static_cast<int>(chosen.size()) < budget) {
    const Candidate first = candidates.top();
    candidates.pop();
    if (first.known_at < chosen.size()) {
      candidates.push({gain_of(matrix, greatest, first.volume), first.volume, chosen.size()});
      continue;
    }
    chosen.push_back(first.volume);
    heed(matrix, first.volume, greatest);
  }
  return chosen;
}

std::vector<int> proxy_data(Selector selector,
                            const similarity::PairMatrix& matrix,
                            const std::vector<double>& importance,
                            int budget) {
  std::vector<int> chosen;
  switch (selector) {
    case Selector::least_similar:
      chosen = least_similar(importance, budget);
      break;
    case Selector::farthest_point:
      chosen = farthest_point(matrix, importance, budget);
      break;
    case Selector::facility_location:
      chosen = facility_location(matrix, budget);
      break;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace proxytune::selection
