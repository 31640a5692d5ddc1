#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace proxytune::search {

/// Who goes on. Brackets are consecutive trials of a fixed number; when all of a bracket that
/// came to a rung have said how good they are there, the best 1/reduction of them go on to the
/// next one, and it is settled where the others end. So nothing depends on the order of
/// reports.
class SuccessiveHalving {
 public:
  /// `rungs` to be compared at, besides the end of a training, which is the rung of that
  /// number; `trials` of the whole search: its last bracket has what is left over.
  SuccessiveHalving(int rungs, int reduction, int trials);

  /// What becomes of a trial after a rung.
  struct Verdict {
    int trial = 0;
    bool goes_on = false;
    bool operator==(const Verdict&) const = default;
  };

  /// How good a trial is at a rung to which it was to go on (all are to go to rung 0); none: it
  /// failed. Gives what this settles, by trial. The first report counts.
  std::vector<Verdict> report(int trial, int rung, std::optional<double> score);

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

  int rungs_;
  int reduction_;
  int bracket_ = 1;  // trials
  int trials_;
  std::map<std::pair<int, int>, Compared> compared_;  // by bracket and rung
};

}  // namespace proxytune::search
