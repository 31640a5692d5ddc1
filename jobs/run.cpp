#include "jobs/jobs.h"
#include "jobs/merge.h"
#include "jobs/results_file.h"
#include "jobs/stages.h"
#include "jobs/study_costs.h"

namespace proxytune::jobs {

namespace {

void finish(Study& study,
            const PreparedData& data,
            const Rankings& rankings,
            const Selection& selection) {
  const ArmTrials swept = sweep(study, data, selection);
  const std::vector<ArmSearch> searches = search(study, data, selection);
  const ArmTrials finals = train(study, data, selection, searches);
  analyse(study, data, rankings, selection, swept, searches, finals);
  say_costs(study);
}

}  // namespace

void run_study(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Rankings rankings = rank(study, data);
  finish(study, data, rankings, select(study, data, rankings));
}

void run_merge(app::Session& session) {
  Study study(session);
  merge_shards(study);
  const PreparedData data = preprocess(study);
  const Rankings rankings = rank(study, data);
  const Selection selection = select(study, data, rankings);
  require_all_merged(study, plan_sweep(study, data, selection));
  finish(study, data, rankings, selection);
}

void run_preprocess(app::Session& session) {
  Study study(session);
  preprocess(study);
  say_costs(study);
}

void run_rank(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Rankings rankings = rank(study, data);
  report(study, data, rankings);
  const std::filesystem::path file =
      write_tables(study, ranking_tables(data, rankings), "ranking.h5");
  study.log().info("ranking: " + file.string());
  say_costs(study);
}

void run_select(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Rankings rankings = rank(study, data);
  report(study, select(study, data, rankings));
}

void run_sweep(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Selection selection = select(study, data, rank(study, data));
  if (study.shard().whole())
    sweep(study, data, selection);
  else
    sweep_shard(study, data, selection);
  say_costs(study);
}

void run_search(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Selection selection = select(study, data, rank(study, data));
  search(study, data, selection);
  say_costs(study);
}

void run_train(app::Session& session) {
  Study study(session);
  const PreparedData data = preprocess(study);
  const Selection selection = select(study, data, rank(study, data));
  train(study, data, selection, search(study, data, selection));
  say_costs(study);
}

}  // namespace proxytune::jobs
