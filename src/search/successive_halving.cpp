#include "proxytune/search/successive_halving.h"

#include <algorithm>

namespace proxytune::search {

SuccessiveHalving::SuccessiveHalving(const HalvingOptions& options, int trials)
    : rungs_(static_cast<int>(options.rungs.size())),
      reduction_(options.reduction),
      bracket_(options.bracket()),
      trials_(trials) {}

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
  if (rung == rungs_) {
    ++ended_[bracket];
    return {{trial, false}};
  }
  if (std::ssize(here.scores) < here.expected)
    return {};
  std::vector<int> order;
  int different = 0;
  for (const auto& [one, its_score] : here.scores) {
    if (same_as_.contains(one))
      continue;
    ++different;
    if (its_score)
      order.push_back(one);
  }
  std::stable_sort(order.begin(), order.end(), [&](int one, int other) {
    return *here.scores.at(one) > *here.scores.at(other);
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(promoted(different))));
  std::vector<Verdict> verdicts;
  for (const auto& [one, its_score] : here.scores) {
    const auto same = same_as_.find(one);
    const int first = same == same_as_.end() ? one : same->second;
    verdicts.push_back({one, std::ranges::find(order, first) != order.end()});
  }
  const auto going_on = static_cast<int>(std::ranges::count_if(verdicts, &Verdict::goes_on));
  compared_[{bracket, rung + 1}].expected = going_on;
  ended_[bracket] += static_cast<int>(verdicts.size()) - going_on;
  return verdicts;
}

std::optional<SuccessiveHalving::Bracket> SuccessiveHalving::settled(int trial) const {
  const int bracket = trial / bracket_;
  const auto ended = ended_.find(bracket);
  if (ended == ended_.end() || ended->second < trials_of(bracket))
    return std::nullopt;
  return Bracket{.first = bracket * bracket_, .last = bracket * bracket_ + trials_of(bracket)};
}

const SuccessiveHalving::Scores& SuccessiveHalving::scores_at(int bracket, int rung) const {
  static const Scores none;
  const auto found = compared_.find({bracket, rung});
  return found == compared_.end() ? none : found->second.scores;
}

std::optional<double> SuccessiveHalving::expected_at_the_end(int trial) const {
  const int bracket = trial / bracket_;
  int rung = 0;
  while (rung < rungs_ && scores_at(bracket, rung + 1).contains(trial))
    ++rung;
  const Scores& last = scores_at(bracket, rung);
  const auto found = last.find(trial);
  if (found == last.end() || !found->second)
    return std::nullopt;
  double expected = *found->second;
  for (int from = rung; from < rungs_; ++from) {
    double gain = 0;
    int went_on = 0;
    for (const auto& [one, score] : scores_at(bracket, from + 1))
      if (score) {
        gain += *score - *scores_at(bracket, from).at(one);
        ++went_on;
      }
    if (went_on > 0)
      expected += gain / went_on;
  }
  // Steep curves gain much: what was found better stays so.
  if (rung < rungs_)
    for (const auto& [one, score] : scores_at(bracket, rung + 1))
      if (const auto better = expected_at_the_end(one))
        expected = std::min(expected, *better);
  return expected;
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
