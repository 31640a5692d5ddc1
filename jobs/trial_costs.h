#pragma once

#include <map>
#include <string>
#include <vector>

#include "jobs/stages.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// What trials will cost: first from their specification, then also from how long those of the
/// same network took. It orders trials and tells the time left; no result depends on it.
class TrialCosts {
 public:
  TrialCosts(const training::TrainingOptions& options, const PreparedData& data);

  /// Voxels that a trial passes through the network, forward and backward counted as three
  /// passes, times the network's width.
  double units(const trials::TrialSpec& spec,
               const training::TrainingOptions& options,
               const network::UNetOptions& network) const;

  /// A trial was finished; its item's expected_cost are its units.
  void learn(const work::Item& item, const trials::TrialResult& result);
  bool knows_seconds() const { return all_.units > 0; }
  /// Seconds, once a trial was finished; of a network that none was finished of, as if it were
  /// like the others. Units until then. `network` is the canonical text.
  double expected(const std::string& network, double units) const;

 private:
  struct Measured {
    double seconds = 0;
    double units = 0;
  };
  double window_voxels(const std::vector<std::string>& keys) const;

  std::map<std::string, double> window_voxels_;  // of all windows of a case, by its key
  std::map<std::string, Measured> measured_;     // by network
  Measured all_;
};

}  // namespace proxytune::jobs
