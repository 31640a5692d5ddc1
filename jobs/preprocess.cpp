#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "jobs/load.h"
#include "jobs/stages.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/datasets/leaks.h"

namespace proxytune::jobs {
namespace {

/// Cases read and preprocessed between two writes of the cache, by each rank.
constexpr int cases_per_rank_and_round = 4;

struct Wanted {
  datasets::Case one;
  std::string key;
};

/// The key of every case: files are shared out, each rank hashes its part.
std::vector<Wanted> with_keys(Study& study, const std::vector<datasets::Case>& cases) {
  comm::Communicator& world = study.world();
  std::string mine;
  comm::together(world, [&] {
    const work::Account::Busy busy(study.account(), "hashing files");
    for (std::size_t i = 0; i < cases.size(); ++i)
      if (static_cast<int>(i) % world.size() == world.rank()) {
        if (study.stop())
          throw core::Stopped("stopped while the cases were hashed; the same command goes on");
        study.account().reach("hashing files", cases[i].id);
        mine += fmt::format("{} {}\n", i, case_key(study.options(), cases[i]));
      }
  });
  std::vector<Wanted> wanted;
  for (const datasets::Case& one : cases)
    wanted.push_back({one, ""});
  for (const std::string& part : comm::gather_texts(world, mine)) {
    std::istringstream lines(part);
    std::size_t index = 0;
    std::string key;
    while (lines >> index >> key)
      wanted[index].key = key;
  }
  return wanted;
}

/// Those that the cache does not have, each content once; the root looks, so that all agree.
std::vector<const Wanted*> missing_of(comm::Communicator& world,
                                      const std::vector<Wanted>& wanted,
                                      const std::filesystem::path& folder) {
  const std::string text = comm::from_root(world, [&] {
    const store::VolumeCache cache = store::VolumeCache::open(folder);
    std::set<std::string> seen;
    std::string positions;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (!cache.has(wanted[i].key) && seen.insert(wanted[i].key).second)
        positions += fmt::format("{} ", i);
    return positions;
  });
  std::vector<const Wanted*> missing;
  std::istringstream positions(text);
  for (std::size_t i = 0; positions >> i;)
    missing.push_back(&wanted[i]);
  return missing;
}

/// Reads, preprocesses and caches the cases that are not in the cache, in rounds that a kill
/// cannot undo.
void fill_cache(Study& study,
                const std::vector<Wanted>& wanted,
                const std::filesystem::path& folder,
                int channels,
                int classes) {
  comm::Communicator& world = study.world();
  const std::vector<const Wanted*> missing = missing_of(world, wanted, folder);
  if (!missing.empty())
    study.require_not_shard();
  core::ProgressBar bar(study.log(), "preprocess", wanted.size());
  bar.skip(wanted.size() - missing.size());
  const std::size_t round = static_cast<std::size_t>(cases_per_rank_and_round) *
                            static_cast<std::size_t>(world.size());
  for (std::size_t begin = 0; begin < missing.size(); begin += round) {
    const std::size_t end = std::min(begin + round, missing.size());
    std::vector<PreparedFile> prepared;
    comm::together(world, [&] {
      const work::Account::Busy busy(study.account(), "preparing volumes");
      // After a stop the round ends early, with what there is.
      for (std::size_t i = begin; i < end && !study.stop(); ++i)
        if (static_cast<int>(i - begin) % world.size() == world.rank()) {
          study.account().reach("preparing volumes", missing[i]->one.id);
          prepared.push_back(prepare_file(study.options(), missing[i]->one, missing[i]->key));
          check_file(study.options(), prepared.back(), channels, classes);
        }
    });
    std::vector<store::CachedCase> mine;
    for (const PreparedFile& file : prepared)
      mine.push_back(file.cached());
    store::write_round(world, mine, folder);
    bar.end(end - begin);
    // A line a twentieth, however many rounds there are.
    const std::size_t cached = wanted.size() - missing.size() + end;
    const std::size_t before = cached - (end - begin);
    if (20 * cached / wanted.size() > 20 * before / wanted.size())
      study.log().info(
          fmt::format("preprocess: {} of {} volumes cached", cached, wanted.size()));
    if (comm::any(world, study.stop().load()))
      throw core::Stopped("stopped during preprocessing; the same command goes on");
  }
}

Cases map_cases(const std::vector<Wanted>& wanted, const store::VolumeCache& cache) {
  Cases cases(cache);
  for (const Wanted& one : wanted) {
    store::MappedCase mapped = cache.at(one.key);
    mapped.id = one.one.id;  // the same content may have had another name before
    cases.add(mapped, one.one.group);
  }
  return cases;
}

std::vector<datasets::CaseIdentity> identities(const Cases& cases) {
  std::vector<datasets::CaseIdentity> result;
  for (int i = 0; i < cases.size(); ++i)
    result.push_back(
        {cases.at(i).id, cases.groups()[static_cast<std::size_t>(i)], cases.image_hash(i)});
  return result;
}

}  // namespace

void Cases::add(const store::MappedCase& mapped, std::string group) {
  index_.emplace(mapped.key, size());
  ids_.push_back(mapped.id);
  keys_.push_back(mapped.key);
  groups_.push_back(std::move(group));
  mapped_.push_back(mapped);
}

datasets::PreparedCase Cases::at(int index) const {
  const store::MappedCase& mapped = mapped_.at(static_cast<std::size_t>(index));
  return {mapped.id, mapped.key, mapped.image, mapped.label};
}

const std::string& Cases::image_hash(int index) const {
  return mapped_.at(static_cast<std::size_t>(index)).content_hash;
}

PreparedData preprocess(Study& study) {
  study.account().enter("preprocess");
  const DataSets sets = read_datasets(study);
  const std::filesystem::path folder = study.base() / "cache";
  int channels = 1;
  int classes = 2;
  comm::together(study.world(), [&] {
    channels = channels_of(study.options(), sets.internal);
    classes = class_count(study.options(), sets.internal);
    check_plan(study, sets);
  });
  const std::vector<Wanted> internal = with_keys(study, sets.internal.cases);
  const std::vector<Wanted> external = with_keys(study, sets.external.cases);
  study::Fields keys;
  for (const Wanted& one : internal)
    keys["internal/" + one.one.id] = one.key;
  for (const Wanted& one : external)
    keys["external/" + one.one.id] = one.key;
  study.require_same_cases(keys);
  std::vector<Wanted> both = internal;
  both.insert(both.end(), external.begin(), external.end());
  fill_cache(study, both, folder, channels, classes);

  PreparedData data;
  comm::together(study.world(), [&] {
    const work::Account::Busy busy(study.account(), "verifying volumes");
    const store::VolumeCache cache = store::VolumeCache::open(folder);
    data.internal = map_cases(internal, cache);
    data.external = map_cases(external, cache);
    // Bits that rot on disk must not become results: one rank of each node reads it all once.
    if (study.node_rank() == 0)
      cache.verify(
          [&](const std::string& id) { study.account().reach("verifying volumes", id); });
    data.channels = channels;
    data.classes = classes;
    datasets::refuse_divided_duplicates(identities(data.internal));
    datasets::refuse_leaks(identities(data.internal), identities(data.external));
    check_cases(study.options(), data.internal, data.channels, data.classes);
    check_cases(study.options(), data.external, data.channels, data.classes);
  });
  return data;
}

}  // namespace proxytune::jobs
