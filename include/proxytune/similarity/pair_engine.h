#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxytune/similarity/measure.h"
#include "proxytune/similarity/options.h"
#include "proxytune/similarity/pair_matrix.h"
#include "proxytune/similarity/region.h"
#include "proxytune/work/distribute.h"

namespace proxytune::similarity {

/// Volume i of a set; what the views point to stays alive as long as the engine.
using SubjectSource = std::function<Subject(int)>;

/// Volumes by position.
struct SubjectSet {
  int size = 0;
  SubjectSource at;
};

/// Computes the pair matrix of one set with itself, or of two sets, tile by tile. A tile's key
/// is a hash of the measure and of its volumes' contents, and its values depend on nothing
/// else: any rank may compute any tile in any order, and a set that has grown keeps its full
/// tiles.
///
/// With the label crop, or where all volumes have one shape anyway, the matrix of one set is
/// symmetric and only its upper triangle is computed: n(n+1)/2 pairs. Otherwise x_i is
/// resampled to the shape of x_j for cell (i, j): n^2 ordered pairs, each volume resampled once
/// per distinct shape within a tile. One engine a thread.
class PairEngine {
 public:
  PairEngine(Metric metric, Crop crop, const SimilarityOptions& options, SubjectSet volumes);
  PairEngine(Metric metric,
             Crop crop,
             const SimilarityOptions& options,
             SubjectSet rows,
             SubjectSet columns);

  /// The pieces for work::distribute, the same on every rank.
  std::vector<work::Item> tile_items() const;
  /// The tile's "values", rows x columns in C order; a tile on the diagonal comes whole.
  work::Record compute(const work::Item& item);
  /// From the results of all pieces by key. Throws core::DataError where a tile is missing or
  /// torn.
  PairMatrix assemble(const std::map<std::string, work::Record>& results) const;
  /// All of it here and now, on one rank.
  PairMatrix compute_all();
  bool symmetric() const { return symmetric_; }

 private:
  struct Side {
    SubjectSet set;
    std::vector<std::string> keys;
    std::vector<imaging::Shape> shapes;  // on which volumes are compared
  };
  using Prepared = std::shared_ptr<const PreparedImage>;
  using Kept = std::map<int, Prepared>;

  Side side(SubjectSet set) const;
  std::vector<Tile> tiles() const;
  std::string tile_key(const Tile& tile) const;
  bool on_diagonal(const Tile& tile) const;
  Prepared prepared(const Side& side, int volume) const;
  Prepared prepared(const Side& side, int volume, const imaging::Shape& shape) const;
  void keep_columns(const Tile& tile);
  std::vector<double> tile_values(const Tile& tile);

  Crop crop_;
  SimilarityOptions options_;
  std::unique_ptr<Measure> measure_;
  Side rows_;
  Side columns_;
  bool symmetric_ = false;
  Kept kept_columns_;  // of the last tile: the next one often needs them again
};

}  // namespace proxytune::similarity
