#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// A part of a sweep that one job of a job array does: `index` of `count`, from 1 on.
struct Shard {
  int index = 1;
  int count = 0;  // 0: no part, the whole

  bool whole() const { return count == 0; }
};

/// "2/3"; the empty text is the whole. Throws core::Error (usage) for anything else.
Shard parse_shard(const std::string& text);

/// Where the shard keeps its journal and its lock, within its study's folder.
std::filesystem::path shard_folder(const std::filesystem::path& study, const Shard& shard);
/// Those that are there, of every count.
std::vector<std::filesystem::path> shard_folders(const std::filesystem::path& study);

/// The shard's pieces. Every piece is one shard's; dealt by expected cost, so that shards last
/// alike, and by key, so that they are the same whatever order the list has.
std::vector<work::Item> part_of(std::vector<work::Item> items, const Shard& shard);

}  // namespace proxytune::jobs
