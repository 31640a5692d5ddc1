#include "proxytune/search/successive_halving.h"

#include <algorithm>

namespace proxytune::search {

SuccessiveHalving::SuccessiveHalving(int rungs, int reduction, int trials)
    : rungs_(rungs), reduction_(reduction), trials_(trials) {
  for (int rung = 0; rung < rungs; ++rung)
    bracket_ *= reduction;
}

int SuccessiveHalving::trials_of(int bracket) const {
  return std::min(bracket_, trials_ - bracket * bracket_);
}

/// Of a bracket that is left over too, one comes to the end.
int SuccessiveHalving::promoted(int trials) const {
  return std::max(1, trials / reduction_);
}

std::vector<SuccessiveHalving::Verdict> SuccessiveHalving::report(int trial,
                                                                  int rung,
                                                                  std::optional<double> score) {
  const int bracket = trial / bracket_;
  Compared& here = compared_[{bracket, rung}];
  if (rung == 0)
    here.expected = trials_of(bracket);
  if (!here.scores.emplace(trial, score).second)
    return {};
  if (rung == rungs_)
    return {{trial, false}};
  if (std::ssize(here.scores) < here.expected)
    return {};
  std::vector<int> order;
  for (const auto& [one, its_score] : here.scores)
    if (its_score)
      order.push_back(one);
  std::stable_sort(order.begin(), order.end(), [&](int one, int other) {
    return *here.scores.at(one) > *here.scores.at(other);
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(promoted(here.expected))));
  compared_[{bracket, rung + 1}].expected = static_cast<int>(order.size());
  std::vector<Verdict> verdicts;
  for (const auto& [one, its_score] : here.scores)
    verdicts.push_back({one, std::find(order.begin(), order.end(), one) != order.end()});
  return verdicts;
}

int SuccessiveHalving::pieces() const {
  int sum = 0;
  for (int bracket = 0; bracket * bracket_ < trials_; ++bracket) {
    int trials = trials_of(bracket);
    for (int rung = 0; rung < rungs_; ++rung) {
      sum += trials;
      trials = promoted(trials);
    }
    sum += trials;
  }
  return sum;
}

}  // namespace proxytune::search
