#include <fmt/format.h>

#include "jobs/stages.h"
#include "jobs/trial_pool.h"

namespace proxytune::jobs {

ArmTrials train(Study& study,
                const PreparedData& data,
                const Selection& selection,
                const std::vector<ArmSearch>& searches) {
  study.account().enter("train");
  TrialPool pool(study, data, study.options().final_ranks_per_trial());
  const FinalOptions& final_training = study.options().final_training;

  std::vector<std::pair<ArmTrial, trials::TrialSpec>> placed;
  std::vector<work::Item> items;
  // The same split for every arm and repeat (paper, Table 2: "5 repeats with the same split").
  for (const ArmSearch& arm : searches)
    for (int repeat = 0; arm.best && repeat < final_training.repeats; ++repeat) {
      trials::TrialSpec spec =
          pool.spec(final_training.network, selection.all_data, *arm.best, repeat, true);
      items.push_back(pool.item(spec));
      placed.emplace_back(ArmTrial{arm.arm, 0, repeat, {}}, std::move(spec));
    }

  pool.forget_lost_weights(items);
  const auto results = pool.run_list("train", items);
  ArmTrials finals;
  for (auto& [where, spec] : placed) {
    where.record = pool.record(spec, results);
    finals.push_back(std::move(where));
  }
  return finals;
}

}  // namespace proxytune::jobs
