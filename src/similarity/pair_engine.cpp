#include "proxytune/similarity/pair_engine.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "pair_tasks.h"
#include "parallel.h"
#include "prepared_cache.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/imaging/transforms.h"
#include "tile_ranges.h"

namespace proxytune::similarity {
namespace {

bool all_equal(const std::vector<imaging::Shape>& shapes) {
  return std::adjacent_find(shapes.begin(), shapes.end(), std::not_equal_to<>()) ==
         shapes.end();
}

Tile tile_of(const work::Item& item) {
  const auto extent = [&](const char* name) {
    return static_cast<int>(item.what.integer(name));
  };
  return {extent("row_begin"), extent("row_end"), extent("column_begin"), extent("column_end")};
}

std::vector<const PreparedImage*> pointers(const std::vector<Prepared>& images) {
  std::vector<const PreparedImage*> result;
  for (const Prepared& image : images)
    result.push_back(image.get());
  return result;
}

[[noreturn]] void refuse_other_volumes() {
  throw core::DataError(
      "a piece of the pair matrix names volumes that this run does not have; all ranks must "
      "start the same study.");
}

}  // namespace

PairEngine::PairEngine(Metric metric,
                       Crop crop,
                       const SimilarityOptions& options,
                       const SubjectSet& volumes,
                       const std::shared_ptr<Gpu>& gpu)
    : PairEngine(metric, crop, options, volumes, volumes, gpu) {
  symmetric_ = all_equal(rows_.shapes);
  if (symmetric_)
    put_in_order(columns_, false);
}

PairEngine::PairEngine(Metric metric,
                       Crop crop,
                       const SimilarityOptions& options,
                       SubjectSet rows,
                       SubjectSet columns,
                       const std::shared_ptr<Gpu>& gpu)
    : crop_(crop),
      options_(options),
      rows_(side(std::move(rows))),
      columns_(side(std::move(columns))) {
  const InstructionSet set = chosen_instruction_set();
  for (int thread = 0; thread < options.threads; ++thread)
    measures_.push_back(make_measure(metric, options, set, gpu));
  on_gpu_ = measures_.front()->device_memory() > 0;
  limit_ = on_gpu_ ? measures_.front()->device_memory() : at(options.memory) << 20U;
  cache_ = std::make_unique<PreparedCache>(limit_);
  put_in_order(rows_, false);
  put_in_order(columns_, true);
}

PairEngine::~PairEngine() = default;

PairEngine::Side PairEngine::side(SubjectSet set) const {
  Side side;
  for (int volume = 0; volume < set.size; ++volume) {
    const Subject subject = set.at(volume);
    side.keys.push_back(subject.key);
    side.shapes.push_back(crop_ == Crop::label
                              ? imaging::Shape{options_.cube, options_.cube, options_.cube}
                              : subject.image.shape);
  }
  if (set.batches.empty())
    set.batches.assign(at(set.size), 0);
  side.set = std::move(set);
  return side;
}

void PairEngine::put_in_order(Side& side, bool by_shape) const {
  side.order.resize(at(side.set.size));
  std::iota(side.order.begin(), side.order.end(), 0);
  const auto place = [&](int volume) {
    const imaging::Shape shape = by_shape ? side.shapes[at(volume)] : imaging::Shape{};
    return std::tuple(side.set.batches[at(volume)], shape.z, shape.y, shape.x, volume);
  };
  std::sort(side.order.begin(), side.order.end(), [&](int one, int other) {
    return place(one) < place(other);
  });
  std::vector<int> batches;
  for (const int volume : side.order)
    batches.push_back(side.set.batches[at(volume)]);
  side.blocks = blocks_of(batches, options_.tile);
}

Prepared PairEngine::prepare(const Side& side,
                             int volume,
                             const imaging::Shape& shape,
                             int thread) const {
  const Measure& measure = *measures_[at(thread)];
  const Subject subject = side.set.at(volume);
  if (crop_ == Crop::label)
    return measure.prepare(imaging::view(label_cube(subject, options_.cube)));
  if (subject.image.shape == shape)
    return measure.prepare(subject.image);
  return measure.prepare(imaging::view(imaging::resize_trilinear(subject.image, shape)));
}

std::vector<Prepared> PairEngine::prepared(const Side& side,
                                           std::span<const int> volumes,
                                           const imaging::Shape* on_grid) {
  std::vector<Prepared> images(volumes.size());
  std::vector<std::size_t> missing;
  std::vector<PreparedKey> keys;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto volume = at(volumes[i]);
    keys.push_back({side.keys[volume], on_grid == nullptr ? side.shapes[volume] : *on_grid});
    images[i] = cache_->find(keys.back());
    if (!images[i])
      missing.push_back(i);
  }
  cache_->make_room(missing.size() * largest_image_);
  for_each_in_parallel(missing.size(), options_.threads, [&](std::size_t m, int thread) {
    meanwhile_();
    const std::size_t i = missing[m];
    images[i] = prepare(side, volumes[i], keys[i].shape, thread);
  });
  for (const std::size_t i : missing) {
    largest_image_ = std::max(largest_image_, images[i]->bytes());
    cache_->keep(keys[i], images[i]);
  }
  return images;
}

/// Learns it from the largest of the columns.
int PairEngine::images_at_once(std::span<const int> columns) {
  const int largest =
      *std::max_element(columns.begin(), columns.end(), [&](int one, int other) {
        return columns_.shapes[at(one)].voxels() < columns_.shapes[at(other)].voxels();
      });
  const std::size_t bytes =
      prepared(columns_, std::span(&largest, 1), nullptr).front()->bytes();
  if (2 * bytes > limit_)
    throw core::ConfigurationError(
        std::string(on_gpu_ ? "similarity.device_memory" : "similarity.memory") + " is " +
        std::to_string(limit_ >> 20U) + " MiB, but two images made ready for comparing take " +
        std::to_string((2 * bytes >> 20U) + 1) + " MiB: give it that much or more" +
        (on_gpu_ ? ", or take similarity.device: cpu" : ""));
  return static_cast<int>(std::min<std::size_t>(limit_ / bytes, 1U << 20U));
}

void PairEngine::compute_part(const Tile& tile, const Tile& part, TileValues& values) {
  const bool diagonal = symmetric_ && part.row_begin == part.column_begin;
  const imaging::Shape grid = columns_.shapes[at(columns_.order[at(part.column_begin)])];
  const std::vector<Prepared> column_images =
      prepared(columns_, between(columns_.order, part.column_begin, part.column_end), nullptr);
  const std::vector<Prepared> row_images =
      diagonal ? column_images
               : prepared(rows_, between(rows_.order, part.row_begin, part.row_end), &grid);
  const auto rows = pointers(row_images);
  const auto columns = pointers(column_images);
  const int height = part.row_end - part.row_begin;
  const int breadth = part.column_end - part.column_begin;
  const std::vector<PairTask> tasks = tasks_for_threads(
      height, breadth, diagonal, measures_.front()->task_edge(), options_.threads);
  const auto width = at(tile.column_end - tile.column_begin);
  const auto cell = [&](int row, int column) -> double& {
    return values[at(part.row_begin - tile.row_begin + row) * width +
                  at(part.column_begin - tile.column_begin + column)];
  };
  for_each_in_parallel(tasks.size(), options_.threads, [&](std::size_t t, int thread) {
    meanwhile_();
    const PairTask& task = tasks[t];
    const Images some_rows =
        Images(rows).subspan(at(task.row_begin), at(task.row_end - task.row_begin));
    const Images some_columns =
        Images(columns).subspan(at(task.column_begin), at(task.column_end - task.column_begin));
    std::vector<double> computed(some_rows.size() * some_columns.size());
    measures_[at(thread)]->compare_all(some_rows, some_columns, task.cells, computed);
    auto value = computed.begin();
    for (int row = task.row_begin; row < task.row_end; ++row)
      for (int column = task.column_begin; column < task.column_end; ++column) {
        cell(row, column) = *value;
        if (diagonal)
          cell(column, row) = *value;
        ++value;
      }
  });
}

TileValues PairEngine::compute(const work::Item& item) {
  return item.what.has("columns") ? compute_row(item) : compute_tile(item);
}

/// Of the columns that a row is compared with at once: a GPU takes as many pairs as in a tile.
std::size_t PairEngine::largest_row_task() const {
  const std::size_t edge = at(measures_.front()->task_edge());
  return on_gpu_ ? edge * edge : edge;
}

TileValues PairEngine::compute_row(const work::Item& item) {
  const auto row = static_cast<int>(item.what.integer("row"));
  const std::vector<std::int64_t>& columns = item.what.integers("columns");
  const auto known = [&](std::int64_t volume) {
    return volume >= 0 && volume < columns_.set.size;
  };
  if (row < 0 || row >= rows_.set.size || !std::all_of(columns.begin(), columns.end(), known) ||
      row_key(row, columns) != item.key)
    refuse_other_volumes();
  // By shape, as in tiles; `places` says where a value belongs.
  std::vector<std::size_t> places(columns.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const auto shape_at = [&](std::size_t place) -> const imaging::Shape& {
    return columns_.shapes[static_cast<std::size_t>(columns[place])];
  };
  std::stable_sort(places.begin(), places.end(), [&](std::size_t one, std::size_t other) {
    const imaging::Shape& a = shape_at(one);
    const imaging::Shape& b = shape_at(other);
    return std::tie(a.z, a.y, a.x) < std::tie(b.z, b.y, b.x);
  });
  std::vector<int> volumes;
  for (const std::size_t place : places)
    volumes.push_back(static_cast<int>(columns[place]));
  const auto step = at(std::max(1, images_at_once(volumes) - 1));
  TileValues values(columns.size());
  for (std::size_t begin = 0; begin < places.size();) {
    std::size_t end = begin + 1;
    while (end < std::min(begin + step, places.size()) &&
           shape_at(places[end]) == shape_at(places[begin]))
      ++end;
    const auto one = prepared(rows_, std::span(&row, 1), &shape_at(places[begin]));
    const auto others =
        prepared(columns_, std::span(volumes).subspan(begin, end - begin), nullptr);
    const auto rows = pointers(one);
    const auto all = pointers(others);
    const std::size_t largest = largest_row_task();
    const std::size_t tasks = (all.size() + largest - 1) / largest;
    for_each_in_parallel(tasks, options_.threads, [&](std::size_t task, int thread) {
      meanwhile_();
      const std::size_t first = task * largest;
      const Images some = Images(all).subspan(first, std::min(largest, all.size() - first));
      std::vector<double> computed(some.size());
      measures_[at(thread)]->compare_all(rows, some, Cells::all, computed);
      for (std::size_t i = 0; i < computed.size(); ++i)
        values[places[begin + first + i]] = computed[i];
    });
    begin = end;
  }
  return values;
}

TileValues PairEngine::compute_tile(const work::Item& item) {
  const Tile tile = tile_of(item);
  if (tile.row_begin < 0 || tile.row_end > rows_.set.size || tile.column_begin < 0 ||
      tile.column_end > columns_.set.size || tile_key(tile) != item.key)
    refuse_other_volumes();
  TileValues values(cells(tile));
  const int at_once =
      images_at_once(between(columns_.order, tile.column_begin, tile.column_end));
  const int rows = tile.row_end - tile.row_begin;
  const int columns = tile.column_end - tile.column_begin;
  const bool fits = on_diagonal(tile) ? rows <= at_once : rows + columns <= at_once;
  const int step = fits ? std::max(rows, columns) : at_once / 2;
  const auto same_shape_end = [&](int column) {
    int end = column + 1;
    while (end < std::min(column + step, tile.column_end) &&
           columns_.shapes[at(columns_.order[at(end)])] ==
               columns_.shapes[at(columns_.order[at(column)])])
      ++end;
    return end;
  };
  for (int row = tile.row_begin; row < tile.row_end; row += step)
    for (int column = on_diagonal(tile) ? row : tile.column_begin; column < tile.column_end;) {
      const int end = same_shape_end(column);
      compute_part(tile, {row, std::min(row + step, tile.row_end), column, end}, values);
      column = end;
    }
  if (on_diagonal(tile))
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < row; ++column)
        values[at(row) * at(columns) + at(column)] = values[at(column) * at(columns) + at(row)];
  return values;
}

PairMatrix PairEngine::compute_all() {
  std::map<std::string, TileValues> computed;
  for (const work::Item& item : tile_items())
    computed.emplace(item.key, compute(item));
  return assemble([&](const work::Item& item) { return computed.at(item.key); });
}

}  // namespace proxytune::similarity
