#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "jobs/pairs.h"
#include "jobs/stages.h"
#include "proxytune/comm/agree.h"
#include "proxytune/selection/importance.h"
#include "proxytune/selection/partners.h"
#include "proxytune/similarity/pair_engine.h"

namespace proxytune::jobs {
namespace {

/// What the arms' proxy data are picked by, each once.
std::vector<std::pair<similarity::Metric, similarity::Crop>> wanted(
    const StudyOptions& options) {
  std::vector<std::pair<similarity::Metric, similarity::Crop>> pairs;
  for (const ArmOptions& arm : options.arms) {
    const std::pair pair{arm.metric, arm.crop};
    if (arm.data == ArmData::proxy &&
        std::find(pairs.begin(), pairs.end(), pair) == pairs.end())
      pairs.push_back(pair);
  }
  return pairs;
}

/// The row of every case by each statistic that an arm picks proxy data of this measure by.
std::vector<Importance> importances_of(const StudyOptions& options, const Ranking& ranking) {
  std::vector<Importance> result;
  std::set<std::string> done;
  for (const ArmOptions& arm : options.arms)
    if (arm.data == ArmData::proxy && arm.metric == ranking.metric &&
        arm.crop == ranking.crop && done.insert(selection::name_of(arm.importance)).second)
      result.push_back({arm.importance,
                        selection::importance(
                            ranking.matrix, arm.importance, options.similarity.include_self)});
  return result;
}

template <class Value>
std::vector<Value> in_order(const std::vector<Value>& values, const std::vector<int>& order) {
  std::vector<Value> result;
  for (const int position : order)
    result.push_back(values[static_cast<std::size_t>(position)]);
  return result;
}

/// Where K others are all others, comparing all pairs gives exact importances for the same
/// work.
bool samples(const Study& study, const PreparedData& data) {
  const int sampled = study.options().similarity.sampled_pairs;
  return sampled > 0 && sampled < data.internal.size() - 1;
}

void compute(Study& study, similarity::PairEngine& engine, Ranking& ranking) {
  MeasuredMatrix measured = measure_all(study, engine, ranking.name());
  ranking.matrix = std::move(measured.matrix);
  ranking.device_seconds = measured.device_seconds;
  ranking.importances = importances_of(study.options(), ranking);
}

void say_how_sure(Study& study, const Ranking& ranking) {
  std::set<int> budgets;
  for (const ArmOptions& arm : study.options().arms)
    if (arm.data == ArmData::proxy && arm.metric == ranking.metric && arm.crop == ranking.crop)
      budgets.insert(arm.budget);
  for (const int budget : budgets)
    study.log().info("rank: " + ranking.name() + ": " +
                     selection::to_text(selection::sureness_of(ranking.estimates, budget),
                                        budget,
                                        ranking.unit));
}

void estimate(Study& study,
              const PreparedData& data,
              similarity::PairEngine& engine,
              Ranking& ranking) {
  const similarity::SimilarityOptions& options = study.options().similarity;
  const auto partners = selection::draw_partners(
      data.internal.keys(), study.random().with("sampled pairs"), options.sampled_pairs);
  const auto cells =
      selection::sampled_pairs(partners, engine.symmetric(), options.include_self);
  MeasuredSample measured = measure_some(study, engine, cells, ranking.name());
  ranking.device_seconds = measured.device_seconds;
  ranking.estimates = selection::estimate_importance(
      data.internal.size(), measured.pairs, engine.symmetric(), options.include_self);
  ranking.importances = {{{}, selection::importance_of(ranking.estimates)}};
  ranking.sampled = std::move(measured.pairs);
  say_how_sure(study, ranking);
}

/// Squared local NCC of label crops, internal against external: near 1 means the same anatomy.
core::Table find_duplicates(Study& study,
                            const PreparedData& data,
                            const std::shared_ptr<similarity::Gpu>& gpu) {
  const similarity::SubjectSet internal = subjects(study, data.internal);
  const similarity::SubjectSet external = subjects(study, data.external);
  std::unique_ptr<similarity::PairEngine> engine;
  comm::together(study.world(), [&] {
    engine = std::make_unique<similarity::PairEngine>(
        similarity::Metric::normalized_cross_correlation,
        similarity::Crop::label,
        study.options().similarity,
        internal,
        external,
        gpu);
  });
  const MeasuredMatrix measured = measure_all(study, *engine, "internal_against_external");
  const auto pairs =
      similarity::near_duplicates(measured.matrix, study.options().data.near_duplicate);
  for (const similarity::SimilarPair& pair : pairs)
    if (study.world().is_root())
      study.log().warn(
          fmt::format("internal case {} and external case {} look alike (squared local NCC "
                      "{:.3f}): the same "
                      "patient in both would make the external score worthless",
                      data.internal.ids()[static_cast<std::size_t>(pair.row)],
                      data.external.ids()[static_cast<std::size_t>(pair.column)],
                      pair.similarity));
  return similarity::to_table(pairs,
                              data.internal.ids(),
                              data.external.ids(),
                              "1",
                              "/similarity/near_duplicates",
                              "internal and external cases whose label crops look alike");
}

}  // namespace

std::string Ranking::name() const {
  return core::to_string(metric) + (crop == similarity::Crop::label ? "_label" : "");
}

const Importance& Ranking::importance(const selection::ImportanceOptions& options) const {
  return *std::find_if(importances.begin(), importances.end(), [&](const Importance& one) {
    return selection::name_of(one.options) == selection::name_of(options);
  });
}

const Ranking& Rankings::of(similarity::Metric metric, similarity::Crop crop) const {
  return *std::find_if(rankings.begin(), rankings.end(), [&](const Ranking& ranking) {
    return ranking.metric == metric && ranking.crop == crop;
  });
}

std::string name_of(const Ranking& ranking, const selection::ImportanceOptions& options) {
  const bool paper = options.importance == selection::Statistic::mean;
  return ranking.name() + (paper ? "" : "_" + selection::name_of(options));
}

core::Table importance_table(const Ranking& ranking,
                             const Importance& importance,
                             const std::vector<std::string>& names,
                             const std::vector<int>& order) {
  const std::string path = "/similarity/importance/" + name_of(ranking, importance.options);
  if (!ranking.estimates.empty())
    return selection::importance_table(
        in_order(names, order), in_order(ranking.estimates, order), ranking.unit, path);
  return selection::importance_table(in_order(names, order),
                                     in_order(importance.values, order),
                                     importance.options,
                                     ranking.unit,
                                     path);
}

void report(Study& study, const PreparedData& data, const Rankings& rankings) {
  for (const Ranking& ranking : rankings.rankings)
    for (const Importance& importance : ranking.importances) {
      const std::vector<int> order = selection::order_of_importance(importance.values);
      const core::Table sorted =
          importance_table(ranking, importance, data.internal.ids(), order);
      study.log().info("\n" + name_of(ranking, importance.options) + ", least similar first\n" +
                       core::to_text(sorted));
    }
}

Rankings rank(Study& study, const PreparedData& data) {
  study.account().enter("rank");
  Rankings result;
  const std::shared_ptr<similarity::Gpu> gpu = gpu_of(study);
  for (const auto& [metric, crop] : wanted(study.options())) {
    Ranking ranking;
    ranking.metric = metric;
    ranking.crop = crop;
    ranking.unit = similarity::unit_of(metric, study.options().similarity);
    const similarity::SubjectSet volumes = subjects(study, data.internal);
    std::unique_ptr<similarity::PairEngine> engine;
    comm::together(study.world(), [&] {
      engine = std::make_unique<similarity::PairEngine>(
          ranking.metric, ranking.crop, study.options().similarity, volumes, gpu);
    });
    if (samples(study, data))
      estimate(study, data, *engine, ranking);
    else
      compute(study, *engine, ranking);
    result.rankings.push_back(std::move(ranking));
  }
  if (data.external.size() > 0)
    result.duplicates.push_back(find_duplicates(study, data, gpu));
  return result;
}

}  // namespace proxytune::jobs
