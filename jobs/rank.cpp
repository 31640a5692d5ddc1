#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "jobs/stages.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/selection/importance.h"
#include "proxytune/similarity/pair_engine.h"
#include "proxytune/similarity/tile_files.h"

namespace proxytune::jobs {
namespace {

similarity::SubjectSet subjects(Study& study, const Cases& cases) {
  std::vector<std::string> keys;
  for (int index = 0; index < cases.size(); ++index)
    keys.push_back(cases.at(index).key);
  return {cases.size(),
          [&cases](int index) {
            const datasets::PreparedCase one = cases.at(index);
            return similarity::Subject{one.image, one.label, one.key, one.id};
          },
          study.batches(keys)};
}

struct Measured {
  similarity::PairMatrix matrix;
  double device_seconds = 0;
};

/// Tiles whose values somebody removed or damaged are computed again.
void forget_unreadable(Study& study,
                       const similarity::TileFiles& files,
                       const std::vector<work::Item>& items) {
  comm::from_root(study.world(), [&] {
    int unreadable = 0;
    for (const work::Item& item : items) {
      const work::Record* known = study.finished("tile", item.key);
      if (known == nullptr)
        continue;
      try {
        files.read(*known);
      } catch (const core::DataError& error) {
        if (unreadable++ == 0)
          study.log().warn(error.what());
        study.forget("tile", item.key);
      }
    }
    if (unreadable > 0)
      study.log().warn(
          fmt::format("{} tiles of the pair matrix are computed again", unreadable));
    return std::string();
  });
}

/// Hands the matrix's tiles to the ranks.
Measured measure(Study& study, similarity::PairEngine& engine, const std::string& what) {
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<similarity::TileFiles> files;
  comm::together(study.world(), [&] {
    files = std::make_unique<similarity::TileFiles>(
        study.folder() / "pairs", study.launch() + "-" + what, study.world().rank());
  });
  const std::vector<work::Item> items = engine.tile_items();
  forget_unreadable(study, *files, items);
  work::ListSource source(items);
  const auto results = study.distribute(
      "tile",
      source,
      [&](const work::Item& item) {
        const auto tile_start = std::chrono::steady_clock::now();
        work::Record result = files->keep(engine.compute(item));
        const std::chrono::duration<double> taken =
            std::chrono::steady_clock::now() - tile_start;
        return result.set("seconds", taken.count());
      },
      [](const work::Item&) -> work::Record {
        throw std::logic_error("tiles are not counted, so none can be set aside");
      },
      [](const work::Progress&) {},
      // A tile is short and its end is certain: its starts are not worth a line each.
      false);
  Measured measured;
  comm::together(study.world(), [&] {
    measured.matrix = engine.assemble(
        [&](const work::Item& item) { return files->read(results.at(item.key)); });
  });
  for (const work::Item& item : items)
    measured.device_seconds += results.at(item.key).number("seconds");
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  study.log().info(fmt::format("rank: {}: {} x {} volumes, {:.2f} s",
                               what,
                               measured.matrix.rows,
                               measured.matrix.columns,
                               taken.count()));
  return measured;
}

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

core::Table table_of(const Ranking& ranking,
                     const selection::ImportanceOptions& options,
                     const std::vector<std::string>& names,
                     const std::vector<double>& importance) {
  return selection::importance_table(names,
                                     importance,
                                     options,
                                     ranking.unit,
                                     "/similarity/importance/" + name_of(ranking, options));
}

template <class Value>
std::vector<Value> in_order(const std::vector<Value>& values, const std::vector<int>& order) {
  std::vector<Value> result;
  for (const int position : order)
    result.push_back(values[static_cast<std::size_t>(position)]);
  return result;
}

/// Squared local NCC of label crops, internal against external: near 1 means the same anatomy.
core::Table find_duplicates(Study& study, const PreparedData& data) {
  similarity::PairEngine engine(similarity::Metric::normalized_cross_correlation,
                                similarity::Crop::label,
                                study.options().similarity,
                                subjects(study, data.internal),
                                subjects(study, data.external));
  const Measured measured = measure(study, engine, "internal_against_external");
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
                             const Cases& cases) {
  return table_of(ranking, importance.options, cases.ids(), importance.values);
}

void report(Study& study, const PreparedData& data, const Rankings& rankings) {
  for (const Ranking& ranking : rankings.rankings)
    for (const Importance& importance : ranking.importances) {
      const std::vector<int> order = selection::order_of_importance(importance.values);
      const core::Table sorted = table_of(ranking,
                                          importance.options,
                                          in_order(data.internal.ids(), order),
                                          in_order(importance.values, order));
      study.log().info("\n" + name_of(ranking, importance.options) + ", least similar first\n" +
                       core::to_text(sorted));
    }
}

Rankings rank(Study& study, const PreparedData& data) {
  Rankings result;
  for (const auto& [metric, crop] : wanted(study.options())) {
    Ranking ranking;
    ranking.metric = metric;
    ranking.crop = crop;
    ranking.unit = similarity::unit_of(metric, study.options().similarity);
    similarity::PairEngine engine(
        metric, crop, study.options().similarity, subjects(study, data.internal));
    Measured measured = measure(study, engine, ranking.name());
    ranking.matrix = std::move(measured.matrix);
    ranking.device_seconds = measured.device_seconds;
    ranking.importances = importances_of(study.options(), ranking);
    result.rankings.push_back(std::move(ranking));
  }
  if (data.external.size() > 0)
    result.duplicates.push_back(find_duplicates(study, data));
  return result;
}

}  // namespace proxytune::jobs
