#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "proxytune/core/names.h"
#include "proxytune/core/table.h"
#include "proxytune/search/space.h"

namespace proxytune::search {

enum class EarlierStage { search, sweep };
inline constexpr core::Name<EarlierStage> names_of_earlier_stage[] = {
    {EarlierStage::search, "search"}, {EarlierStage::sweep, "sweep"}};
constexpr std::span<const core::Name<EarlierStage>> names(EarlierStage) {
  return names_of_earlier_stage;
}

/// Where the first proposals of a search come from.
struct WarmStart {
  std::string results;
  std::string arm;
  EarlierStage stage = EarlierStage::search;
  int best = 5;
};

template <class Fields>
void describe(Fields& fields, WarmStart& options) {
  fields("results",
         options.results,
         "results.h5 of an earlier study, of this or of another data set; relative to the "
         "study file, ${NAME} stands for an environment variable");
  fields(
      "arm", options.arm, "arm of that study; empty: the one with the name of each arm here");
  fields("stage",
         options.stage,
         "take the points of that arm's search, or of its sweep by their mean over repeats");
  fields("best",
         options.best,
         "how many of its best distinct points by validation Dice are the first trials here; "
         "what they give here is what the controller learns from");
}

/// Throws core::FieldError.
void validate(const WarmStart& options);

/// What an earlier study tried, and its validation Dice there.
struct EarlierPoint {
  trials::HyperParameters hyper_parameters;
  double dice = 0;
};

struct EarlierPoints {
  std::vector<EarlierPoint> points;  // best first, the earlier of equals first
  std::set<std::string> varied;      // searched training options, by path
};

/// The scored points of an arm out of an earlier study's tables; points of a sweep are means
/// over their repeats. `options`: values of that study's training options by path, of those
/// that were not searched. Throws core::DataError where the tables hold no such arm.
EarlierPoints earlier_points(const std::vector<core::Table>& tables,
                             EarlierStage stage,
                             const std::string& arm,
                             const std::map<std::string, trials::FieldValue>& options);

/// The first proposals of a search.
struct FirstProposals {
  std::vector<std::vector<double>> unit_points;
  int clipped = 0;            // of them, moved to the end of a range
  int outside = 0;            // better or equal points that this space does not hold
  std::string why_outside{};  // of the first of those
};

/// The best `count` distinct points that lie in this space. A number beyond a range is clipped
/// to it; a point whose other fields differ from those of `base`, or whose choices this space
/// lacks, is not of this space. `base` has the study's value of every training option. Throws
/// core::DataError, with what differs, where none is.
FirstProposals first_proposals(const EarlierPoints& earlier,
                               const SearchSpace& space,
                               const trials::HyperParameters& base,
                               int count);

}  // namespace proxytune::search
