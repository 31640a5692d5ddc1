#include "jobs/costs.h"

#include <algorithm>

#include <fmt/format.h>

namespace proxytune::jobs {
namespace {

/// In the order in which a study comes to them; others follow.
std::vector<std::string> stages_in_order(const std::map<std::string, work::StageSeconds>& all) {
  std::vector<std::string> result;
  for (const char* stage :
       {"start", "preprocess", "rank", "select", "sweep", "search", "train", "analyse"})
    if (all.contains(stage))
      result.emplace_back(stage);
  for (const auto& [stage, seconds] : all)
    if (std::find(result.begin(), result.end(), stage) == result.end())
      result.push_back(stage);
  return result;
}

std::string said(const work::StageSeconds& seconds) {
  return fmt::format("{:.1f} s work, {:.1f} s waste, {:.1f} s idle",
                     seconds.work,
                     seconds.waste,
                     seconds.idle);
}

}  // namespace

work::StageSeconds LaunchCost::total() const {
  work::StageSeconds sum;
  for (const auto& [stage, seconds] : stages)
    sum += seconds;
  return sum;
}

LaunchCost launch_cost(const std::string& launch,
                       const work::LaunchAccounts& accounts,
                       const std::string& shard,
                       bool at_work) {
  LaunchCost cost{.launch = launch,
                  .shard = shard,
                  .state = at_work ? "at work" : "ended",
                  .ranks = static_cast<int>(accounts.size()),
                  .wall_seconds = 0,
                  .stages = {}};
  for (const auto& [rank, account] : accounts) {
    const bool ended = account.has("ended") && account.boolean("ended");
    if (!at_work && !ended)
      cost.state = "killed";
    cost.wall_seconds = std::max(cost.wall_seconds, account.number("seconds"));
    for (const auto& [stage, seconds] : work::seconds_by_stage(account, at_work))
      cost.stages[stage] += seconds;
  }
  return cost;
}

std::vector<LaunchCost> launch_costs(const work::JournalContents& journal,
                                     const std::string& shard,
                                     const std::string& at_work) {
  std::vector<LaunchCost> costs;
  for (const auto& [launch, accounts] : journal.accounts)
    costs.push_back(launch_cost(launch, accounts, shard, launch == at_work));
  return costs;
}

work::Record to_record(const LaunchCost& cost) {
  work::Record record;
  record.set("launch", cost.launch).set("shard", cost.shard).set("state", cost.state);
  record.set("ranks", std::int64_t{cost.ranks}).set("wall_seconds", cost.wall_seconds);
  for (const auto& [stage, seconds] : cost.stages)
    record.set(stage + ".work", seconds.work)
        .set(stage + ".waste", seconds.waste)
        .set(stage + ".idle", seconds.idle);
  return record;
}

LaunchCost cost_from_record(const work::Record& record) {
  return {.launch = record.text("launch"),
          .shard = record.text("shard"),
          .state = record.text("state"),
          .ranks = static_cast<int>(record.integer("ranks")),
          .wall_seconds = record.number("wall_seconds"),
          .stages = work::seconds_by_stage(record, /*at_work=*/true)};
}

std::string costs_text(const std::vector<LaunchCost>& launches) {
  if (launches.empty())
    return "";
  work::StageSeconds sum;
  std::map<std::string, work::StageSeconds> stages;
  for (const LaunchCost& launch : launches) {
    sum += launch.total();
    for (const auto& [stage, seconds] : launch.stages)
      stages[stage] += seconds;
  }
  const auto killed =
      std::count_if(launches.begin(), launches.end(), [](const LaunchCost& launch) {
        return launch.state == "killed";
      });
  std::string text = fmt::format("cost of {} launch{}{}: {:.4f} device hours: {}\n",
                                 launches.size(),
                                 launches.size() == 1 ? "" : "es",
                                 killed == 0 ? "" : fmt::format(" ({} killed)", killed),
                                 sum.total() / 3600,
                                 said(sum));
  for (const std::string& stage : stages_in_order(stages))
    text += fmt::format("  {}: {}\n", stage, said(stages.at(stage)));
  return text;
}

}  // namespace proxytune::jobs
