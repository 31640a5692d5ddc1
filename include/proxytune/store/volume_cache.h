#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/imaging/volume.h"

namespace proxytune::store {

/// A preprocessed case on its way into the cache. The spans stay the caller's.
struct CachedCase {
  std::string key;  // content of the originals and the options that preprocessed them
  std::string id;   // as the data set names it
  int channels = 1;
  imaging::Shape shape;
  imaging::Geometry geometry;
  std::span<const float> image;         // channels * shape.voxels()
  std::span<const std::uint8_t> label;  // shape.voxels(), or empty where there is none
  std::string content_hash;             // of image and label, by the caller
  std::string provenance;               // e.g. the original files; at most 60,000 bytes
};

/// A case in the mapped cache; the views live as long as the VolumeCache or a copy of it.
struct MappedCase {
  std::string key;
  std::string id;
  imaging::Geometry geometry;
  imaging::VolumeView image;
  imaging::LabelView label;  // without voxels where there is none
  std::string content_hash;
  std::string provenance;
};

/// Adds every rank's cases to the cache folder as one file, `round-<hash of the keys>.h5`: all
/// ranks create its datasets together, then each writes its own cases. The file gets its name
/// when it is complete and synced, so that a kill loses at most this round. A key that several
/// ranks bring is stored once; a round without cases writes nothing. Returns the number of
/// cases stored. Throws core::SystemError on every rank alike. Collective; like write_results,
/// it needs MPI only for more than one rank.
std::size_t write_round(comm::Communicator& communicator,
                        const std::vector<CachedCase>& mine,
                        const std::filesystem::path& folder);

/// All rounds of a cache folder, mapped read-only: the ranks of a node share them through the
/// page cache, and they may be larger than memory. Needs no MPI. Copies share the mapping.
class VolumeCache {
 public:
  /// A folder that is missing or empty is an empty cache. Throws core::DataError for a round
  /// that is truncated or foreign.
  static VolumeCache open(const std::filesystem::path& folder);

  bool has(const std::string& key) const;
  std::vector<std::string> keys() const;  // sorted
  /// Throws core::DataError where there is no such case.
  const MappedCase& at(const std::string& key) const;
  /// Reads every voxel and compares with the stored checksums; throws core::DataError.
  /// Before each case `next` hears its name.
  void verify(const std::function<void(const std::string& id)>& next = {}) const;
  std::uint64_t bytes() const;  // of all voxels

 private:
  struct State;
  explicit VolumeCache(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace proxytune::store
