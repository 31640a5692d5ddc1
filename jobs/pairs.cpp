#include "jobs/pairs.h"

#include <chrono>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/similarity/matrix_file.h"

namespace proxytune::jobs {
namespace {

/// Pieces whose values somebody removed or damaged are computed again.
void forget_unreadable(Study& study,
                       const similarity::TileFiles& files,
                       const std::vector<work::Item>& items) {
  comm::from_root(study.world(), [&] {
    int unreadable = 0;
    for (const work::Item& item : items) {
      const work::Record* known = study.journal().finished("tile", item.key);
      if (known == nullptr)
        continue;
      try {
        files.read(*known);
      } catch (const core::DataError& error) {
        if (unreadable++ == 0)
          study.log().warn(error.what());
        study.journal().forget("tile", item.key);
      }
    }
    if (unreadable > 0) {
      study.journal().sync();
      study.log().warn(
          fmt::format("{} tiles of the pair matrix are computed again", unreadable));
    }
    return std::string();
  });
}

/// Each rank makes some of the rows. Collective.
void write_matrix(Study& study,
                  const similarity::PairEngine& engine,
                  const Pieces& pieces,
                  const similarity::MatrixFile& file) {
  comm::from_root(study.world(), [&] {
    file.begin();
    return std::string();
  });
  comm::together(study.world(), [&] {
    const work::Account::Busy busy(study.account(), "assembling a matrix");
    similarity::MatrixFile::Writer writer(file);
    for (int block = study.world().rank(); block < engine.row_blocks();
         block += study.world().size()) {
      study.account().step("assembling a matrix");
      const similarity::MatrixRows rows = engine.assemble_rows(
          block, [&](const work::Item& item) { return pieces.values(item); });
      const auto width = static_cast<std::size_t>(engine.columns());
      for (std::size_t i = 0; i < rows.volumes.size(); ++i)
        writer.write_row(rows.volumes[i], std::span(rows.values).subspan(i * width, width));
    }
    writer.finish();
  });
  comm::from_root(study.world(), [&] {
    file.publish();
    return std::string();
  });
}

}  // namespace

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

std::shared_ptr<similarity::Gpu> gpu_of(Study& study) {
  std::shared_ptr<similarity::Gpu> gpu;
  comm::together(study.world(), [&] {
    gpu = similarity::choose_gpu(study.options().similarity,
                                 {study.node_rank(), study.node_ranks()});
  });
  if (!comm::any(study.world(), gpu != nullptr))
    return gpu;
  const std::vector<std::string> names =
      comm::gather_texts(study.world(), similarity::name_of(gpu));
  std::string text = "pairs are compared on";
  for (std::size_t rank = 0; rank < names.size(); ++rank)
    text += fmt::format("{} {} by rank {}", rank == 0 ? "" : ",", names[rank], rank);
  study.log().info(text);
  return gpu;
}

Pieces::Pieces(Study& study,
               similarity::PairEngine& engine,
               std::vector<work::Item> items,
               const std::string& what,
               bool read)
    : study_(study), items_(std::move(items)) {
  const auto start = std::chrono::steady_clock::now();
  comm::together(study.world(), [&] {
    files_ = std::make_unique<similarity::TileFiles>(
        study.base() / "pairs", study.launch() + "-" + what, study.world().rank());
  });
  if (read)
    forget_unreadable(study, *files_, items_);
  work::ListSource source(items_);
  core::ProgressBar bar(study.log(), "rank " + what, items_.size());
  results_ = study.distribute(
      "tile",
      bar,
      source,
      [&](const work::Item& item) {
        const auto tile_start = std::chrono::steady_clock::now();
        engine.call_meanwhile([&study, key = item.key] {
          if (study.stop())
            throw core::Stopped("asked to stop within a tile");
          study.account().step(key);
        });
        work::Record result = files_->keep(engine.compute(item));
        const std::chrono::duration<double> taken =
            std::chrono::steady_clock::now() - tile_start;
        return result.set("seconds", taken.count());
      },
      [](const work::Item&) -> work::Record {
        throw std::logic_error("tiles are not counted, so none can be set aside");
      },
      [](const work::Progress&) {},
      // A tile's end is certain, and a lost one is seen and computed again.
      /*short_pieces=*/true);
  comm::together(study.world(), [&] { files_->sync(); });
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  seconds_ = taken.count();
}

similarity::TileValues Pieces::values(const work::Item& item) const {
  return files_->read(results_.at(item.key));
}

double Pieces::device_seconds() const {
  double sum = 0;
  for (const work::Item& item : items_)
    sum += results_.at(item.key).number("seconds");
  return sum;
}

MeasuredMatrix measure_all(Study& study,
                           similarity::PairEngine& engine,
                           const std::string& what) {
  const similarity::MatrixFile file(study.base() / "pairs" / (what + ".matrix"),
                                    engine.matrix_key(),
                                    engine.rows(),
                                    engine.columns());
  const bool known = comm::from_root(study.world(), [&] {
                       return std::string(file.valid() ? "1" : "");
                     }) == "1";
  const Pieces pieces(study, engine, engine.tile_items(), what, !known);
  if (!known) {
    study.require_not_shard();
    write_matrix(study, engine, pieces, file);
  }
  MeasuredMatrix measured;
  comm::together(study.world(), [&] { measured.matrix = file.map(); });
  measured.device_seconds = pieces.device_seconds();
  study.log().info(fmt::format("rank: {}: {} x {} volumes, {:.2f} s",
                               what,
                               measured.matrix.rows,
                               measured.matrix.columns,
                               pieces.seconds()));
  return measured;
}

MeasuredSample measure_some(Study& study,
                            similarity::PairEngine& engine,
                            const std::vector<similarity::Cell>& cells,
                            const std::string& what) {
  const Pieces pieces(study, engine, engine.row_items(cells), what);
  MeasuredSample measured;
  comm::together(study.world(), [&] {
    for (const work::Item& item : pieces.items()) {
      const auto row = static_cast<int>(item.what.integer("row"));
      auto value = pieces.values(item);
      auto next = value.begin();
      for (const std::int64_t column : item.what.integers("columns"))
        measured.pairs.push_back({row, static_cast<int>(column), *next++});
    }
  });
  measured.device_seconds = pieces.device_seconds();
  study.log().info(fmt::format(
      "rank: {}: {} sampled pairs, {:.2f} s", what, measured.pairs.size(), pieces.seconds()));
  return measured;
}

}  // namespace proxytune::jobs
