#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "proxytune/search/early_stopping.h"

namespace proxytune::search {

/// Who goes on. Brackets are consecutive trials of a fixed number; when all of a bracket that
/// came to a rung have said how good they are there, the best 1/reduction of them go on to the
/// next one, and it is settled where the others end. So nothing depends on the order of
/// reports.
class SuccessiveHalving {
 public:
  /// The end of a training is one more rung, of their number; without rungs each trial is by
  /// itself. `trials` of the whole search: its last bracket has what is left over.
  SuccessiveHalving(const HalvingOptions& options, int trials);

  /// A trial that is the same training as an earlier one of its bracket: it goes where that one
  /// goes, and takes nobody's place. To be said before its first report.
  void same_as(int trial, int earlier) { same_as_[trial] = earlier; }
  /// Where its bracket begins.
  int first_of_bracket(int trial) const { return trial - trial % bracket_; }

  /// What becomes of a trial after a rung.
  struct Verdict {
    int trial = 0;
    bool goes_on = false;
    bool operator==(const Verdict&) const = default;
  };

  /// How good a trial is at a rung to which it was to go on (all are to go to rung 0); none: it
  /// failed. Gives what this settles, by trial. The first report counts.
  std::vector<Verdict> report(int trial, int rung, std::optional<double> score);

  /// Whether all of a trial's bracket are where they end, and which trials these are: from
  /// `first`, to below `last`.
  struct Bracket {
    int first = 0;
    int last = 0;
    bool operator==(const Bracket&) const = default;
  };
  std::optional<Bracket> settled(int trial) const;

  /// What a trial of a settled bracket would have come to at its end: what it came to, and,
  /// rung for rung from where it stopped, what those of its bracket that went on gained in the
  /// mean; no more than is expected of the least of those that went on from there. None if it
  /// failed.
  std::optional<double> expected_at_the_end(int trial) const;

  /// Trainings, each from a rung to the next, of the whole search if no trial fails.
  int pieces() const;

 private:
  using Scores = std::map<int, std::optional<double>>;  // by trial
  struct Compared {
    int expected = 0;
    Scores scores;
  };
  int trials_of(int bracket) const;
  int promoted(int trials) const;
  const Scores& scores_at(int bracket, int rung) const;

  int rungs_;
  int reduction_;
  int bracket_;  // trials
  int trials_;
  std::map<std::pair<int, int>, Compared> compared_;  // by bracket and rung
  std::map<int, int> ended_;                          // trials, by bracket
  std::map<int, int> same_as_;                        // an earlier trial, by trial
};

}  // namespace proxytune::search
