#pragma once

#include <filesystem>
#include <string>

#include "proxytune/similarity/pair_engine.h"
#include "proxytune/work/record.h"

namespace proxytune::similarity {

/// Where the values of finished tiles lie, beside the journal that says which are finished: for
/// every launch (and matrix) and rank one file <launch>-<rank>.tiles, to which tiles are
/// appended as doubles (little-endian). A journal line of text for each value would be twice as
/// long, and every rank would have to hear all of them.
class TileFiles {
 public:
  /// Makes the folder; the file comes with the first tile.
  TileFiles(std::filesystem::path folder, const std::string& launch, int rank);
  ~TileFiles();
  TileFiles(const TileFiles&) = delete;
  TileFiles& operator=(const TileFiles&) = delete;

  /// Appends a tile; the record says where: `file`, `offset` and `count` of values, `checksum`.
  /// Until sync(), what a crash of the machine takes is seen by its checksum and computed
  /// again. Throws core::SystemError where the disk refuses.
  work::Record keep(const TileValues& values);
  /// All tiles kept so far are on disk when it returns, where other nodes see them too.
  void sync() const;
  /// What such a record names, by whatever launch and rank. Throws core::DataError where it is
  /// not there or damaged, core::SystemError where it cannot be read.
  TileValues read(const work::Record& record) const;

 private:
  std::filesystem::path folder_;
  std::string name_;
  int file_ = -1;
  std::int64_t end_ = 0;
};

}  // namespace proxytune::similarity
