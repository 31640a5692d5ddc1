#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proxytune/core/hash.h"
#include "proxytune/similarity/measure.h"
#include "proxytune/similarity/options.h"
#include "proxytune/similarity/pair_matrix.h"
#include "proxytune/similarity/region.h"
#include "proxytune/work/distribute.h"

namespace proxytune::similarity {

class PreparedCache;

/// Volume i of a set; what the views point to stays alive as long as the engine.
using SubjectSource = std::function<Subject(int)>;

/// Volumes by position. `batches` says in which batch each arrived (empty: all in one): tiles
/// do not cross from one batch into another, so a set that has grown keeps all its tiles.
struct SubjectSet {
  int size = 0;
  SubjectSource at;
  std::vector<int> batches = {};
};

/// A tile's values, rows x columns in C order.
using TileValues = std::vector<double>;
using ValuesOf = std::function<TileValues(const work::Item&)>;

/// Whole rows of the matrix: whose they are, and their values one row after the other.
struct MatrixRows {
  std::vector<int> volumes;
  std::vector<double> values;
};

/// Computes the pair matrix of one set with itself, or of two sets, tile by tile. A tile's key
/// is a hash of the measure and of its volumes' contents, and its values depend on nothing
/// else: any rank may compute any tile in any order, with any number of threads and any
/// similarity.memory.
///
/// With the label crop, or where all volumes have one shape anyway, the matrix of one set is
/// symmetric and only its upper triangle is computed: n(n+1)/2 pairs. Otherwise x_i is
/// resampled to the shape of x_j for cell (i, j): n^2 ordered pairs, for which columns of one
/// shape come one after the other, so that a volume is resampled once per distinct shape while
/// the prepared images fit into similarity.memory.
///
/// One engine a thread; it starts similarity.threads of its own. With a GPU (choose_gpu()),
/// pairs are compared there, and images made ready lie in its memory, up to
/// similarity.device_memory.
class PairEngine {
 public:
  PairEngine(Metric metric,
             Crop crop,
             const SimilarityOptions& options,
             const SubjectSet& volumes,
             const std::shared_ptr<Gpu>& gpu = nullptr);
  PairEngine(Metric metric,
             Crop crop,
             const SimilarityOptions& options,
             SubjectSet rows,
             SubjectSet columns,
             const std::shared_ptr<Gpu>& gpu = nullptr);
  ~PairEngine();
  PairEngine(const PairEngine&) = delete;
  PairEngine& operator=(const PairEngine&) = delete;

  /// The pieces for work::distribute, the same on every rank.
  std::vector<work::Item> tile_items() const;
  /// Some cells instead of all, sorted: a piece a row, whose values are those of its columns.
  std::vector<work::Item> row_items(const std::vector<Cell>& cells) const;
  /// Of either kind of piece. A tile on the diagonal comes whole. Throws
  /// core::ConfigurationError where similarity.memory does not hold two prepared images.
  TileValues compute(const work::Item& item);
  /// The matrix's rows come in this many blocks, each made of some of the tiles.
  int row_blocks() const { return static_cast<int>(rows_.blocks.size()); }
  /// One of them, from the values of the pieces of tile_items(): each is asked for by one block
  /// as rows, and in a symmetric matrix by one more as columns. Throws core::DataError where a
  /// tile is torn.
  MatrixRows assemble_rows(int row_block, const ValuesOf& values_of) const;
  PairMatrix assemble(const ValuesOf& values_of) const;
  /// Names the contents of the whole matrix.
  std::string matrix_key() const;
  /// All of it here and now, on one rank.
  PairMatrix compute_all();
  int rows() const { return rows_.set.size; }
  int columns() const { return columns_.set.size; }
  bool symmetric() const { return symmetric_; }
  /// compute() calls it every few pairs, from any of its threads; what it throws, such as
  /// core::Stopped, ends the piece.
  void call_meanwhile(std::function<void()> call) { meanwhile_ = std::move(call); }

 private:
  /// A set in the order of its tiles.
  struct Side {
    SubjectSet set;
    std::vector<std::string> keys;       // by volume
    std::vector<imaging::Shape> shapes;  // by volume: the grid it is compared on
    std::vector<int> order;     // volumes by batch (columns of a full matrix: by shape)
    std::vector<Block> blocks;  // of `order`
  };
  Side side(SubjectSet set) const;
  void put_in_order(Side& side, bool by_shape) const;
  std::vector<Tile> tiles() const;
  std::vector<Tile> tiles_of_rows(const Block& block) const;
  work::Item item_of(const Tile& tile) const;
  std::string tile_key(const Tile& tile) const;
  bool on_diagonal(const Tile& tile) const;
  std::vector<std::shared_ptr<const PreparedImage>> prepared(const Side& side,
                                                             std::span<const int> volumes,
                                                             const imaging::Shape* on_grid);
  std::shared_ptr<const PreparedImage> prepare(const Side& side,
                                               int volume,
                                               const imaging::Shape& shape,
                                               int thread) const;
  void hash_measure(core::ContentHasher& hasher) const;
  std::string row_key(int row, std::span<const std::int64_t> columns) const;
  int images_at_once(std::span<const int> columns);
  std::size_t largest_row_task() const;
  TileValues compute_tile(const work::Item& item);
  TileValues compute_row(const work::Item& item);
  void compute_part(const Tile& tile, const Tile& part, TileValues& values);

  Crop crop_;
  SimilarityOptions options_;
  std::function<void()> meanwhile_ = [] {};
  bool on_gpu_ = false;
  std::size_t limit_ = 0;                           // bytes, of prepared images
  std::size_t largest_image_ = 0;                   // bytes, of those prepared so far
  std::vector<std::unique_ptr<Measure>> measures_;  // by thread
  Side rows_;
  Side columns_;
  bool symmetric_ = false;
  std::unique_ptr<PreparedCache> cache_;
};

}  // namespace proxytune::similarity
