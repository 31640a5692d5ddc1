#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/study.h"
#include "proxytune/analysis/trial_record.h"
#include "proxytune/core/table.h"
#include "proxytune/datasets/case_source.h"
#include "proxytune/selection/options.h"
#include "proxytune/selection/sampled_importance.h"
#include "proxytune/selection/selection.h"
#include "proxytune/similarity/pair_matrix.h"
#include "proxytune/store/volume_cache.h"

// The stages of a study, each in a file of its name. A stage brings nothing up to date but
// itself: what it needs are the results of the stages before it, handed in. All collective.
namespace proxytune::jobs {

/// One data set, preprocessed, in the mapped cache.
class Cases : public datasets::CaseSource {
 public:
  Cases() = default;
  /// Keeps the cache mapped.
  explicit Cases(store::VolumeCache cache) : cache_(std::move(cache)) {}
  void add(const store::MappedCase& mapped, std::string group);
  int size() const override { return static_cast<int>(mapped_.size()); }
  datasets::PreparedCase at(int index) const override;
  const std::vector<std::string>& ids() const { return ids_; }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<std::string>& groups() const { return groups_; }
  const std::string& image_hash(int index) const;
  /// Throws std::out_of_range for a key that is not here.
  int index_of(const std::string& key) const { return index_.at(key); }

 private:
  std::optional<store::VolumeCache> cache_;
  std::vector<store::MappedCase> mapped_;
  std::vector<std::string> ids_;
  std::vector<std::string> keys_;
  std::vector<std::string> groups_;
  std::map<std::string, int> index_;
};

struct PreparedData {
  Cases internal;
  Cases external;
  int channels = 1;
  int classes = 2;  // with background
};
PreparedData preprocess(Study& study);

/// What each case's row of a pair matrix says of it, by one statistic.
struct Importance {
  selection::ImportanceOptions options;
  std::vector<double> values;  // by case
};
/// The pair matrix of one measure, and the importance by each statistic that an arm asks for.
struct Ranking {
  similarity::Metric metric{};
  similarity::Crop crop{};
  similarity::PairMatrix matrix;  // empty where pairs were sampled
  std::vector<Importance> importances;
  std::vector<selection::PairValue> sampled;
  std::vector<selection::ImportanceEstimate> estimates;  // by case, where pairs were sampled
  double device_seconds = 0;                             // over all ranks and launches
  std::string unit;                                      // of the matrix and of the importance
  std::string name() const;                              // "mutual_information_label"
  const Importance& importance(const selection::ImportanceOptions& options) const;
};
struct Rankings {
  std::vector<Ranking> rankings;
  std::vector<core::Table>
      duplicates;  // internal against external, if there is an external set
  const Ranking& of(similarity::Metric metric, similarity::Crop crop) const;
};
Rankings rank(Study& study, const PreparedData& data);
/// "mutual_information_label", with "_median" where the statistic is not the paper's mean.
std::string name_of(const Ranking& ranking, const selection::ImportanceOptions& options);
/// The cases in this order.
core::Table importance_table(const Ranking& ranking,
                             const Importance& importance,
                             const std::vector<std::string>& names,
                             const std::vector<int>& order);
/// Prints the order of the cases, least similar first.
void report(Study& study, const PreparedData& data, const Rankings& rankings);

/// Cases by position in the internal data.
using Split = selection::SelectedCases;
/// For every arm and repeat, who trains and who validates.
struct Selection {
  std::map<std::string, std::vector<Split>> splits;  // by arm, then repeat
  Split all_data;  // all internal cases, split as in repeat 0: what the final models train on
  core::Table table;  // arm, repeat, case, role
};
Selection select(Study& study, const PreparedData& data, const Rankings& rankings);

/// Prints who trains and validates.
void report(Study& study, const Selection& selection);

/// A trial in its place: which arm asked for it, at which hyper-parameters, which repeat.
struct ArmTrial {
  std::string arm;
  int point = 0;  // of the grid; proposal of a search
  int repeat = 0;
  analysis::TrialRecord record;
};
using ArmTrials = std::vector<ArmTrial>;

/// A trial of the sweep before it has run.
struct PlacedTrial {
  ArmTrial where;
  trials::TrialSpec spec;
};
std::vector<PlacedTrial> plan_sweep(Study& study,
                                    const PreparedData& data,
                                    const Selection& selection);
ArmTrials sweep(Study& study, const PreparedData& data, const Selection& selection);
/// Of a study that is a shard: its part of the sweep.
void sweep_shard(Study& study, const PreparedData& data, const Selection& selection);

/// What one arm's search did and found.
struct ArmSearch {
  std::string arm;
  std::optional<trials::HyperParameters> best;  // none if every trial failed
  core::Table trace;
  ArmTrials trials;
};
std::vector<ArmSearch> search(Study& study,
                              const PreparedData& data,
                              const Selection& selection);

/// The full network on all internal data, with each arm's hyper-parameters.
ArmTrials train(Study& study,
                const PreparedData& data,
                const Selection& selection,
                const std::vector<ArmSearch>& searches);

/// Tables printed and stored: results.h5 in the study's folder.
void analyse(Study& study,
             const PreparedData& data,
             const Rankings& rankings,
             const Selection& selection,
             const ArmTrials& swept,
             const std::vector<ArmSearch>& searches,
             const ArmTrials& finals);

}  // namespace proxytune::jobs
