#include <fmt/format.h>

#include "jobs/stages.h"
#include "jobs/trial_pool.h"

namespace proxytune::jobs {
namespace {

std::vector<PlacedTrial> plan(const Study& study,
                              const TrialPool& pool,
                              const Selection& selection) {
  const std::vector<trials::HyperParameters> grid =
      trials::sweep_grid(study.options().sweep.grid);
  std::vector<PlacedTrial> placed;
  for (const ArmOptions& arm : study.options().sweep_arms())
    for (int repeat = 0; repeat < study.options().sweep.grid.repeats; ++repeat)
      for (std::size_t point = 0; point < grid.size(); ++point) {
        const Split& split = selection.splits.at(arm.name)[static_cast<std::size_t>(repeat)];
        ArmTrial where{arm.name, static_cast<int>(point), repeat, {}};
        trials::TrialSpec spec = pool.spec(arm.network, split, grid[point], repeat, false);
        placed.push_back({std::move(where), std::move(spec)});
      }
  return placed;
}

std::vector<work::Item> items_of(const TrialPool& pool,
                                 const std::vector<PlacedTrial>& placed) {
  std::vector<work::Item> items;
  for (const PlacedTrial& one : placed)
    items.push_back(pool.item(one.spec));
  return items;
}

}  // namespace

std::vector<PlacedTrial> plan_sweep(Study& study,
                                    const PreparedData& data,
                                    const Selection& selection) {
  return plan(study, TrialPool(study, data, 1), selection);
}

ArmTrials sweep(Study& study, const PreparedData& data, const Selection& selection) {
  study.account().enter("sweep");
  TrialPool pool(study, data, study.options().compute.ranks_per_trial);
  std::vector<PlacedTrial> placed = plan(study, pool, selection);
  const std::vector<work::Item> items = items_of(pool, placed);
  const auto results = pool.run_list("sweep", items);
  ArmTrials swept;
  for (PlacedTrial& one : placed) {
    const std::string key = trials::trial_key(one.spec);
    one.where.record = analysis::trial_record(key, one.spec, results.at(key));
    swept.push_back(std::move(one.where));
  }
  return swept;
}

void sweep_shard(Study& study, const PreparedData& data, const Selection& selection) {
  study.account().enter("sweep");
  TrialPool pool(study, data, study.options().compute.ranks_per_trial);
  const std::vector<work::Item> all = items_of(pool, plan(study, pool, selection));
  const std::vector<work::Item> items = part_of(all, study.shard());
  pool.run_list(fmt::format("shard {}/{}", study.shard().index, study.shard().count), items);
  study.log().info(fmt::format(
      "shard {} of {}: its {} of {} trials are done; when all shards are, `proxytune merge`",
      study.shard().index,
      study.shard().count,
      items.size(),
      part_of(all, {}).size()));
}

}  // namespace proxytune::jobs
