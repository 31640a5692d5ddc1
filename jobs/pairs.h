#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jobs/stages.h"
#include "proxytune/selection/sampled_importance.h"
#include "proxytune/similarity/device.h"
#include "proxytune/similarity/pair_engine.h"
#include "proxytune/similarity/tile_files.h"

namespace proxytune::jobs {

/// The cases as the pair engine takes them, by the batch in which each came to the study.
/// Collective.
similarity::SubjectSet subjects(Study& study, const Cases& cases);

/// What this rank compares pairs on: a GPU, or null for its processor. Says so where any rank
/// has a GPU. Collective.
std::shared_ptr<similarity::Gpu> gpu_of(Study& study);

/// Pieces of a pair matrix that the ranks have shared among themselves.
class Pieces {
 public:
  /// Computes what no earlier launch has; `read` unless nobody will ask for values. Collective.
  Pieces(Study& study,
         similarity::PairEngine& engine,
         std::vector<work::Item> items,
         const std::string& what,
         bool read = true);
  const std::vector<work::Item>& items() const { return items_; }
  similarity::TileValues values(const work::Item& item) const;
  double seconds() const { return seconds_; }  // of this launch
  double device_seconds() const;               // over all ranks and launches

 private:
  Study& study_;
  std::vector<work::Item> items_;
  std::unique_ptr<similarity::TileFiles> files_;
  std::map<std::string, work::Record> results_;
  double seconds_ = 0;
};

struct MeasuredMatrix {
  similarity::PairMatrix matrix;
  double device_seconds = 0;
};
/// All pairs. Collective.
MeasuredMatrix measure_all(Study& study,
                           similarity::PairEngine& engine,
                           const std::string& what);

struct MeasuredSample {
  std::vector<selection::PairValue> pairs;
  double device_seconds = 0;
};
/// Some pairs, sorted. Collective.
MeasuredSample measure_some(Study& study,
                            similarity::PairEngine& engine,
                            const std::vector<similarity::Cell>& cells,
                            const std::string& what);

}  // namespace proxytune::jobs
