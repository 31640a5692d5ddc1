#include <fmt/format.h>

#include "jobs/stages.h"
#include "jobs/trial_pool.h"

namespace proxytune::jobs {

ArmTrials sweep(Study& study, const PreparedData& data, const Selection& selection) {
  TrialPool pool(study, data);
  const std::vector<trials::HyperParameters> grid =
      trials::sweep_grid(study.options().sweep.grid);

  struct Placed {
    ArmTrial where;
    trials::TrialSpec spec;
  };
  std::vector<Placed> placed;
  std::vector<work::Item> items;
  for (const ArmOptions& arm : study.options().sweep_arms())
    for (int repeat = 0; repeat < study.options().sweep.grid.repeats; ++repeat)
      for (std::size_t point = 0; point < grid.size(); ++point) {
        const Split& split = selection.splits.at(arm.name)[static_cast<std::size_t>(repeat)];
        Placed one;
        one.where = {arm.name, static_cast<int>(point), repeat, {}};
        one.spec = pool.spec(arm.network, split, grid[point], repeat, false);
        items.push_back(pool.item(one.spec));
        placed.push_back(std::move(one));
      }

  const auto results = pool.run_list("sweep", items);
  ArmTrials swept;
  for (Placed& one : placed) {
    const std::string key = trials::trial_key(one.spec);
    one.where.record = analysis::trial_record(key, one.spec, results.at(key));
    swept.push_back(std::move(one.where));
  }
  return swept;
}

}  // namespace proxytune::jobs
