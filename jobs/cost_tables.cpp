#include <map>
#include <utility>

#include "jobs/costs.h"

namespace proxytune::jobs {
namespace {

/// The three uses of time as columns.
struct Uses {
  std::vector<double> work = {};
  std::vector<double> waste = {};
  std::vector<double> idle = {};

  void add(const work::StageSeconds& seconds) {
    work.push_back(seconds.work);
    waste.push_back(seconds.waste);
    idle.push_back(seconds.idle);
  }
  void into(core::Table& table) const {
    table.add("work_seconds", "s", "Of all ranks: at pieces whose results count.", work)
        .add("waste_seconds",
             "s",
             "At attempts that failed, and at what a kill undid: since the last checkpoint.",
             waste)
        .add("idle_seconds",
             "s",
             "At no piece: start-up, waiting for pieces and for other ranks, writing.",
             idle);
  }
};

constexpr auto launch_description = "Start, microseconds since 1970, and process.";

}  // namespace

core::Table launches_table(const std::vector<LaunchCost>& launches) {
  std::vector<std::string> names;
  std::vector<std::string> shards;
  std::vector<std::string> states;
  std::vector<std::int64_t> ranks;
  std::vector<double> walls;
  Uses uses;
  for (const LaunchCost& launch : launches) {
    names.push_back(launch.launch);
    shards.push_back(launch.shard);
    states.push_back(launch.state);
    ranks.push_back(launch.ranks);
    walls.push_back(launch.wall_seconds);
    uses.add(launch.total());
  }
  core::Table table{
      "/execution/launches", "What every launch cost, its ranks' wall time parted by use.", {}};
  table.add("launch", "1", launch_description, names)
      .add("shard", "1", "Folder of the shard that it was of; empty: the study.", shards)
      .add("state", "1", "ended, killed, or at work: the one that wrote this file.", states)
      .add("ranks", "1", "MPI ranks.", ranks)
      .add("wall_seconds", "s", "Wall time, as far as is known.", walls);
  uses.into(table);
  return table;
}

core::Table costs_table(const std::vector<LaunchCost>& launches) {
  std::vector<std::string> names;
  std::vector<std::string> stages;
  Uses uses;
  for (const LaunchCost& launch : launches)
    for (const auto& [stage, seconds] : launch.stages) {
      names.push_back(launch.launch);
      stages.push_back(stage);
      uses.add(seconds);
    }
  core::Table table{"/execution/costs", "The same by stage.", {}};
  table.add("launch", "1", launch_description, names)
      .add("stage", "1", "start, preprocess, rank, ..., analyse.", stages);
  uses.into(table);
  return table;
}

core::Table arm_costs_table(const std::vector<analysis::StagedTrial>& trials) {
  struct Cost {
    std::int64_t trials = 0;
    double seconds = 0;
    double shared = 0;
  };
  std::map<std::pair<std::string, std::string>, Cost> costs;
  for (const analysis::StagedTrial& staged : trials)
    for (const std::string& arm : staged.arms) {
      Cost& cost = costs[{arm, staged.stage}];
      const double seconds = staged.trial->result.device_seconds;
      ++cost.trials;
      cost.seconds += seconds;
      cost.shared += staged.arms.size() > 1 ? seconds : 0;
    }
  std::vector<std::string> arms;
  std::vector<std::string> stages;
  std::vector<std::int64_t> counts;
  std::vector<double> seconds;
  std::vector<double> shared;
  for (const auto& [place, cost] : costs) {
    arms.push_back(place.first);
    stages.push_back(place.second);
    counts.push_back(cost.trials);
    seconds.push_back(cost.seconds);
    shared.push_back(cost.shared);
  }
  core::Table table{"/execution/arm_costs", "What each arm's trials took, by stage.", {}};
  table.add("arm", "1", "Name of the arm.", arms)
      .add("stage", "1", "Stage that asked for the trials.", stages)
      .add("trials", "1", "Trials.", counts)
      .add("device_seconds",
           "s",
           "Of all launches; a trial that arms share is in each.",
           seconds)
      .add("shared_seconds", "s", "Of that, at trials that other arms have as well.", shared);
  return table;
}

}  // namespace proxytune::jobs
