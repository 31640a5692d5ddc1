#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "jobs/printing.h"
#include "jobs/results_file.h"
#include "jobs/searched_options.h"
#include "jobs/stages.h"
#include "jobs/study_costs.h"
#include "proxytune/analysis/search_tables.h"
#include "proxytune/analysis/sweep_tables.h"
#include "proxytune/analysis/trial_tables.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/hash.h"
#include "proxytune/selection/selection.h"

namespace proxytune::jobs {
namespace {

std::string description_of(const ArmOptions& arm) {
  if (arm.data == ArmData::all)
    return fmt::format("all cases, network {}", arm.network);
  if (arm.data == ArmData::random)
    return fmt::format("{} random cases, network {}", arm.budget, arm.network);
  return fmt::format("{} {}cases by {}{}{}, network {}",
                     arm.budget,
                     arm.selector == selection::Selector::least_similar
                         ? ""
                         : core::to_string(arm.selector) + " ",
                     arm.importance.importance == selection::Statistic::mean
                         ? ""
                         : selection::name_of(arm.importance) + " of ",
                     core::to_string(arm.metric),
                     arm.crop == similarity::Crop::label ? " of label crops" : "",
                     arm.network);
}

std::vector<analysis::ArmTrials> by_arm(const StudyOptions& options, const ArmTrials& swept) {
  std::vector<analysis::ArmTrials> arms;
  for (const ArmOptions& arm : options.sweep_arms()) {
    analysis::ArmTrials one{arm.name, description_of(arm), {}, arm.name == options.reference};
    for (const ArmTrial& trial : swept)
      if (trial.arm == arm.name)
        one.trials.push_back({trial.point, trial.repeat, &trial.record});
    arms.push_back(std::move(one));
  }
  return arms;
}

std::vector<analysis::SearchedArm> searched_arms(const StudyOptions& options,
                                                 const Rankings& rankings,
                                                 const std::vector<ArmSearch>& searches,
                                                 const ArmTrials& finals) {
  std::vector<analysis::SearchedArm> arms;
  for (const ArmSearch& search : searches) {
    if (!search.best)
      continue;
    const ArmOptions& arm = options.arm(search.arm);
    analysis::SearchedArm one;
    one.arm = arm.name;
    one.data_description = description_of(arm);
    one.reference = arm.name == options.reference;
    one.found = *search.best;
    // A point that was proposed again is the trial that was trained.
    std::set<std::string> keys;
    for (const ArmTrial& trial : search.trials)
      if (keys.insert(trial.record.key).second)
        one.search_trials.push_back(&trial.record);
    for (const ArmTrial& trial : finals)
      if (trial.arm == arm.name)
        one.final_trials.push_back(&trial.record);
    if (arm.data == ArmData::proxy)
      one.ranking_seconds = rankings.of(arm.metric, arm.crop).device_seconds;
    arms.push_back(std::move(one));
  }
  return arms;
}

std::vector<analysis::SearchRange> ranges_of(const search::SearchOptions& options) {
  std::vector<analysis::SearchRange> ranges;
  for (const search::Dimension& dimension : options.space) {
    if (dimension.choices.empty()) {
      ranges.push_back({dimension.field,
                        dimension.low,
                        dimension.high,
                        dimension.scale == search::Scale::log});
      continue;
    }
    std::vector<double> numbers;
    for (const std::string& choice : dimension.choices)
      if (const auto number = trials::number_in(search::value_from(choice, dimension.kind)))
        numbers.push_back(*number);
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    if (numbers.size() > 1)
      ranges.push_back({dimension.field, *low, *high, false});
  }
  return ranges;
}

/// Trials of one stage, each once, with the arms that asked for it.
std::vector<analysis::StagedTrial> staged(const std::string& stage, const ArmTrials& trials) {
  std::map<std::string, std::size_t> places;
  std::vector<analysis::StagedTrial> result;
  std::vector<std::set<std::string>> arms;
  for (const ArmTrial& trial : trials) {
    const auto [place, is_new] = places.emplace(trial.record.key, result.size());
    if (is_new) {
      result.push_back({stage, {}, &trial.record});
      arms.emplace_back();
    }
    arms[place->second].insert(trial.arm);
  }
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i].arms = {arms[i].begin(), arms[i].end()};
  return result;
}

/// What each arm is; what says nothing of an arm's data is empty.
core::Table arms_table(const StudyOptions& options, const Rankings& rankings) {
  std::vector<std::string> arms;
  std::vector<std::string> data;
  std::vector<std::string> rankings_used;
  std::vector<std::string> selectors;
  std::vector<std::int64_t> budgets;
  std::vector<std::string> networks;
  for (const ArmOptions& arm : options.arms) {
    const bool proxy = arm.data == ArmData::proxy;
    arms.push_back(arm.name);
    data.push_back(core::to_string(arm.data));
    rankings_used.push_back(proxy ? name_of(rankings.of(arm.metric, arm.crop), arm.importance)
                                  : "");
    selectors.push_back(proxy ? core::to_string(arm.selector) : "");
    budgets.push_back(arm.data == ArmData::all ? 0 : arm.budget);
    networks.push_back(arm.network);
  }
  core::Table table{"/arms", "data and network of each arm", {}};
  table.add("arm", "1", "name of the arm", arms)
      .add("data", "1", "cases it trains on: all, proxy or random", data)
      .add("ranking", "1", "table of /similarity/importance of its proxy data", rankings_used)
      .add("selector", "1", "who of them became proxy data", selectors)
      .add("budget", "1", "cases of proxy or random data, 0 for all", budgets)
      .add("network", "1", "name of its network", networks);
  return table;
}

core::Table launch_table(Study& study) {
  const std::string host = comm::from_root(study.world(), [] { return comm::host_name(); });
  const int ranks = study.world().size();
  core::Table table{"/execution/launch", "the launch that wrote this file", {}};
  const training::Numerics& numerics = study.numerics();
  table
      .add("launch",
           "1",
           "start of the launch, microseconds since 1970, and process",
           std::vector<std::string>{study.launch()})
      .add("ranks", "1", "MPI ranks", std::vector<std::int64_t>{ranks})
      .add("host", "1", "host of rank 0", std::vector<std::string>{host})
      .add("libtorch", "1", "version of LibTorch", std::vector<std::string>{numerics.libtorch})
      .add("instruction_set",
           "1",
           "of the CPU kernels",
           std::vector<std::string>{numerics.instruction_set})
      .add("threads_per_trial",
           "1",
           "CPU threads of a trial",
           std::vector<std::int64_t>{numerics.threads_per_trial})
      .add("precision",
           "1",
           "of the computation",
           std::vector<std::string>{core::to_string(numerics.precision)})
      .add("study",
           "1",
           "the resolved study",
           std::vector<std::string>{config::to_yaml(study.options())})
      .add("device", "1", "what trials run on", std::vector<std::string>{numerics.device});
  return table;
}

/// Everything, in the order of the study.
std::vector<core::Table> tables_of(Study& study,
                                   const PreparedData& data,
                                   const Rankings& rankings,
                                   const Selection& selection,
                                   const ArmTrials& swept,
                                   const std::vector<ArmSearch>& searches,
                                   const ArmTrials& finals) {
  const StudyOptions& options = study.options();
  std::vector<core::Table> tables = ranking_tables(data, rankings);
  tables.insert(tables.begin() + 2, arms_table(options, rankings));
  tables.push_back(selection.table);

  std::map<std::string, std::string> names;
  for (const Cases* cases : {&data.internal, &data.external})
    for (int i = 0; i < cases->size(); ++i)
      names[cases->keys()[static_cast<std::size_t>(i)]] =
          cases->ids()[static_cast<std::size_t>(i)];
  ArmTrials searched;
  for (const ArmSearch& search : searches)
    searched.insert(searched.end(), search.trials.begin(), search.trials.end());
  std::vector<analysis::StagedTrial> all;
  const std::pair<const char*, const ArmTrials*> by_stage[] = {
      {"sweep", &swept}, {"search", &searched}, {"train", &finals}};
  for (const auto& [stage, trials] : by_stage) {
    const auto these = staged(stage, *trials);
    if (these.empty())
      continue;
    tables.push_back(analysis::trials_table(these, fmt::format("/trials/{}", stage)));
    tables.push_back(analysis::learning_curves_table(these, fmt::format("/curves/{}", stage)));
    tables.push_back(
        analysis::case_scores_table(these, names, fmt::format("/case_scores/{}", stage)));
    all.insert(all.end(), these.begin(), these.end());
  }
  for (const ArmSearch& search : searches)
    tables.push_back(search.trace);

  const auto arms = by_arm(options, swept);
  const auto searched_by_arm = searched_arms(options, rankings, searches, finals);
  tables.push_back(analysis::table_1(arms));
  tables.push_back(analysis::correlations(arms));
  tables.push_back(analysis::sweep_points(arms));
  tables.push_back(analysis::dice_against_budget(arms));
  tables.push_back(analysis::table_2(searched_by_arm));
  tables.push_back(
      analysis::relative_distances(searched_by_arm, ranges_of(resolved_search(options))));
  tables.push_back(analysis::table_2_costs(searched_by_arm, 1));
  tables.push_back(analysis::execution_table(all, study.journal().open_starts()));
  tables.push_back(arm_costs_table(all));
  return tables;
}

}  // namespace

void analyse(Study& study,
             const PreparedData& data,
             const Rankings& rankings,
             const Selection& selection,
             const ArmTrials& swept,
             const std::vector<ArmSearch>& searches,
             const ArmTrials& finals) {
  study.account().enter("analyse");
  std::vector<core::Table> tables;
  comm::together(study.world(), [&] {
    const work::Account::Busy busy(study.account(), "analysing");
    tables = tables_of(study, data, rankings, selection, swept, searches, finals);
  });
  tables.push_back(launch_table(study));
  const std::vector<LaunchCost> costs = gather_costs(study);
  tables.push_back(launches_table(costs));
  tables.push_back(costs_table(costs));
  const std::filesystem::path file = write_tables(study, tables, "results.h5");
  study.log().info(paper_tables(tables));
  study.log().info(fmt::format("results: {}", file.string()));
}

}  // namespace proxytune::jobs
