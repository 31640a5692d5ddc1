#pragma once

#include <string>
#include <vector>

namespace proxytune::search {

/// Where the trials of a bracket are compared.
struct Rung {
  int epochs = 0;
  std::string arm{};  // whose data and network trials have until there; empty: their own
};

template <class Fields>
void describe(Fields& fields, Rung& rung) {
  fields("epochs",
         rung.epochs,
         "after so many epochs; validated ones, fewer than training.epochs");
  fields("arm",
         rung.arm,
         "another arm, whose data and network trials have until this rung, as a lower fidelity "
         "that costs less; empty: the arm's own");
}

/// Successive halving (Jamieson and Talwalkar 2016), in brackets of consecutive trials.
struct HalvingOptions {
  std::vector<Rung> rungs{};
  int reduction = 2;

  /// Trials of a bracket: reduction to the power of the number of rungs.
  int bracket() const;
  /// The rung's arm; empty for the end, which is the rung after the last.
  std::string arm_of(int rung) const;
};

template <class Fields>
void describe(Fields& fields, HalvingOptions& options) {
  fields("rungs",
         options.rungs,
         "where trials are compared, rising; those that go on from the last one are trained to "
         "their end");
  fields("reduction",
         options.reduction,
         "the reduction factor: of so many trials at a rung one goes on; a bracket has this to "
         "the power of the number of rungs");
}

/// Throws core::FieldError.
void validate(const HalvingOptions& options);

/// The median rule (Golovin et al. 2017).
struct MedianStoppingOptions {
  int from_epoch = 1;
  int earlier_trials = 5;
};

template <class Fields>
void describe(Fields& fields, MedianStoppingOptions& options) {
  fields("from_epoch",
         options.from_epoch,
         "before so many epochs no trial is stopped, since what is ahead then says little");
  fields(
      "earlier_trials",
      options.earlier_trials,
      "so many of the earlier trials that a trial may know must have come to an epoch before "
      "it is stopped there");
}

/// Throws core::FieldError.
void validate(const MedianStoppingOptions& options);

}  // namespace proxytune::search
