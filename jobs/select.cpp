#include <fmt/format.h>

#include "jobs/load.h"
#include "jobs/stages.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/datasets/splits.h"
#include "proxytune/selection/selection.h"
#include "proxytune/selection/selectors.h"

namespace proxytune::jobs {
namespace {

void need_cases(const ArmOptions& arm, int cases) {
  if (arm.data != ArmData::all && arm.budget > cases)
    throw core::ConfigurationError(
        fmt::format("arm {} has a budget of {} cases, but the internal data has {}; lower its "
                    "budget to an even number of at most {}",
                    arm.name,
                    arm.budget,
                    cases,
                    cases - cases % 2));
}

void need_two(const std::vector<datasets::Case>& cases, const DataOptions& data) {
  if (cases.size() < 2)
    throw core::ConfigurationError(
        fmt::format("{} gives this study {} internal case, but it needs 2 at least: one to "
                    "train on and one "
                    "to validate with; see data.cases, data.case_list and data.exclude_values",
                    data.internal,
                    cases.size()));
}

Split as_split(datasets::Split split) {
  return {std::move(split.training), std::move(split.validation)};
}

/// Keyed by the repeat alone: all arms see the same draw, so that arms are paired.
core::RandomKey split_key(const Study& study, int repeat) {
  return study.random().with("split").with(static_cast<std::uint64_t>(repeat));
}

Split split_all(const Study& study,
                const std::vector<std::string>& groups,
                const std::vector<datasets::Split>& own,
                int repeat) {
  if (!own.empty())
    return as_split(own[static_cast<std::size_t>(repeat) % own.size()]);
  const int held_out = study.options().data.validation_cases;
  const int fifth = (static_cast<int>(groups.size()) + 4) / 5;
  return as_split(datasets::random_split(
      groups, held_out > 0 ? held_out : fifth, split_key(study, repeat)));
}

Split split_part(const Study& study, const std::vector<int>& cases, int repeat) {
  return selection::split_in_half(cases, split_key(study, repeat));
}

std::vector<int> proxy_cases(const ArmOptions& arm, const Rankings& rankings) {
  const Ranking& ranking = rankings.of(arm.metric, arm.crop);
  return selection::proxy_data(
      arm.selector, ranking.matrix, ranking.importance(arm.importance).values, arm.budget);
}

std::vector<int> random_cases(const Study& study, int cases, int budget, int repeat) {
  return selection::random_baseline(
      cases,
      budget,
      study.random().with("random data").with(static_cast<std::uint64_t>(repeat)));
}

std::vector<Split> splits_of(Study& study,
                             const ArmOptions& arm,
                             const PreparedData& data,
                             const Rankings& rankings,
                             const std::vector<datasets::Split>& own) {
  need_cases(arm, data.internal.size());
  std::vector<int> proxies;
  if (arm.data == ArmData::proxy)
    proxies = proxy_cases(arm, rankings);
  std::vector<Split> splits;
  for (int repeat = 0; repeat < study.options().sweep.grid.repeats; ++repeat) {
    switch (arm.data) {
      case ArmData::all:
        splits.push_back(split_all(study, data.internal.groups(), own, repeat));
        break;
      case ArmData::proxy:
        splits.push_back(split_part(study, proxies, repeat));
        break;
      case ArmData::random:
        splits.push_back(split_part(
            study, random_cases(study, data.internal.size(), arm.budget, repeat), repeat));
        break;
    }
  }
  return splits;
}

core::Table table_of(const Selection& selection,
                     const std::vector<ArmOptions>& arms,
                     const Cases& cases) {
  std::vector<selection::Selection> rows;
  for (const ArmOptions& arm : arms) {
    const std::vector<Split>& splits = selection.splits.at(arm.name);
    for (std::size_t repeat = 0; repeat < splits.size(); ++repeat)
      rows.push_back({arm.name, static_cast<int>(repeat), splits[repeat]});
  }
  return selection::selection_table(rows, cases.ids(), "/selection");
}

std::vector<datasets::Split> own_splits(const Study& study,
                                        const std::vector<datasets::Case>& cases) {
  const std::string& file = study.options().data.splits;
  if (file.empty())
    return {};
  return datasets::read_splits(study.input(file), cases);
}

std::vector<datasets::Split> own_splits(const Study& study, const PreparedData& data) {
  std::vector<datasets::Case> cases;
  for (std::size_t i = 0; i < data.internal.ids().size(); ++i)
    cases.push_back({data.internal.ids()[i], {}, {}, data.internal.groups()[i]});
  return own_splits(study, cases);
}

}  // namespace

void report(Study& study, const Selection& selection) {
  study.log().info("\n" + core::to_text(selection.table, 1000));
}

void check_plan(const Study& study, const DataSets& sets) {
  const std::vector<datasets::Case>& cases = sets.internal.cases;
  need_two(cases, study.options().data);
  std::vector<std::string> groups;
  for (const datasets::Case& one : cases)
    groups.push_back(one.group);
  for (const ArmOptions& arm : study.options().arms)
    need_cases(arm, static_cast<int>(cases.size()));
  split_all(study, groups, own_splits(study, cases), 0);
}

Selection select(Study& study, const PreparedData& data, const Rankings& rankings) {
  study.account().enter("select");
  Selection selection;
  comm::together(study.world(), [&] {
    const work::Account::Busy busy(study.account(), "selecting");
    const std::vector<datasets::Split> own = own_splits(study, data);
    for (const ArmOptions& arm : study.options().arms)
      selection.splits[arm.name] = splits_of(study, arm, data, rankings, own);
    selection.all_data = split_all(study, data.internal.groups(), own, 0);
  });
  selection.table = table_of(selection, study.options().arms, data.internal);
  for (const ArmOptions& arm : study.options().arms) {
    const Split& first = selection.splits.at(arm.name).front();
    study.log().info(fmt::format("select: {}: {} training, {} validation cases",
                                 arm.name,
                                 first.training.size(),
                                 first.validation.size()));
  }
  return selection;
}

}  // namespace proxytune::jobs
