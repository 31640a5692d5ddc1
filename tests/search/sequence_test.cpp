#include "proxytune/search/sequence.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace proxytune::search {
namespace {

Sequence sequence_of(const SearchOptions& options) {
  return Sequence(options, {options.space}, core::RandomKey(3));
}

TEST(SequenceTest, OneSlowTrialHoldsBackOnlyWhatIsAsFarBehindItAsTrialsMayBeOpen) {
  Sequence sequence = sequence_of({.method = Method::bayesian, .trials = 20, .concurrency = 4});
  while (sequence.may_propose())
    sequence.propose();
  EXPECT_EQ(sequence.proposed(), 4);
  // Trial 1 is slow: all others end at once.
  for (const int index : {0, 2, 3})
    sequence.report(index, 0.5);
  while (sequence.may_propose()) {
    const double reward = sequence.propose()[0];
    sequence.report(sequence.proposed() - 1, reward);
  }
  EXPECT_EQ(sequence.proposed(), 5);
  EXPECT_THROW(sequence.propose(), std::logic_error);
  sequence.report(1, 0.5);
  EXPECT_TRUE(sequence.may_propose());
}

TEST(SequenceTest, ProposesFromTheSameRewardsWhateverTheOrderOfReports) {
  for (const Method method : {Method::bayesian, Method::reinforcement}) {
    const SearchOptions options{.method = method, .trials = 24, .concurrency = 3};
    Sequence forward = sequence_of(options);
    Sequence backward = sequence_of(options);
    for (int first = 0; first < options.trials; first += options.concurrency) {
      std::vector<double> rewards;
      for (int k = 0; k < options.concurrency; ++k) {
        const auto point = forward.propose();
        EXPECT_EQ(point, backward.propose());
        rewards.push_back(1 - point[0] * point[0] + 0.1 * point[1]);
      }
      for (int k = 0; k < options.concurrency; ++k) {
        forward.report(first + k, rewards[static_cast<std::size_t>(k)]);
        const int other = options.concurrency - 1 - k;
        backward.report(first + other, rewards[static_cast<std::size_t>(other)]);
      }
    }
    EXPECT_EQ(forward.policy_mean(), backward.policy_mean());
    EXPECT_FALSE(forward.may_propose());
  }
}

TEST(SequenceTest, EndsWithTheControllersPoints) {
  Sequence sequence = sequence_of({.method = Method::grid, .trials = 50, .grid_points = 3});
  EXPECT_EQ(sequence.total(), 9);
  for (int k = 0; k < 9; ++k) {
    sequence.propose();
    sequence.report(k, 0);
  }
  EXPECT_FALSE(sequence.may_propose());
}

}  // namespace
}  // namespace proxytune::search
