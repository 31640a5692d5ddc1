#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/store/volume_cache.h"
#include "store/cache_layout.h"
#include "store/files.h"
#include "store/packing.h"
#include "store/shared_file.h"

namespace proxytune::store {
namespace {

constexpr std::uint64_t page = 4096;  // so that a mapped volume begins on one

/// What all ranks must know of a case, and who has its voxels.
struct Announced {
  std::string key, id, content_hash, provenance;
  int channels = 0;
  imaging::Shape shape;
  imaging::Geometry geometry;
  bool has_label = false;
  std::uint32_t image_checksum = 0, label_checksum = 0;
  int owner = 0;
  std::size_t position = 0;  // among the owner's cases
};

void check(const CachedCase& one) {
  const std::size_t voxels = one.shape.voxels();
  if (one.key.empty() || voxels == 0 || one.channels < 1 ||
      one.image.size() != voxels * static_cast<std::size_t>(one.channels) ||
      (!one.label.empty() && one.label.size() != voxels))
    throw std::invalid_argument("case " + one.id + " has no key or does not fill its shape");
  if (one.provenance.size() > 60'000)
    throw std::invalid_argument("case " + one.id + " has a provenance above 60,000 bytes");
}

std::vector<std::byte> packed(const std::vector<CachedCase>& mine) {
  Packer packer;
  for (const CachedCase& one : mine) {
    packer.add(one.key).add(one.id).add(one.content_hash).add(one.provenance);
    packer.add(one.channels).add(one.shape).add(one.geometry).add(!one.label.empty());
    packer.add(core::checksum(std::as_bytes(one.image)));
    packer.add(core::checksum(std::as_bytes(one.label)));
  }
  return {packer.bytes().begin(), packer.bytes().end()};
}

/// Every rank's cases by key; of equal keys the lowest rank's first case stays.
std::vector<Announced> announce(comm::Communicator& communicator,
                                const std::vector<CachedCase>& mine) {
  std::vector<Announced> all;
  const auto by_rank = communicator.all_gather(packed(mine));
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    Unpacker unpacker(by_rank[rank]);
    for (std::size_t position = 0; !unpacker.done(); ++position) {
      Announced one;
      unpacker.take(one.key).take(one.id).take(one.content_hash).take(one.provenance);
      unpacker.take(one.channels).take(one.shape).take(one.geometry).take(one.has_label);
      unpacker.take(one.image_checksum).take(one.label_checksum);
      one.owner = static_cast<int>(rank);
      one.position = position;
      all.push_back(std::move(one));
    }
  }
  const auto by_key = [](const Announced& a, const Announced& b) { return a.key < b.key; };
  const auto same_key = [](const Announced& a, const Announced& b) { return a.key == b.key; };
  std::stable_sort(all.begin(), all.end(), by_key);
  all.erase(std::unique(all.begin(), all.end(), same_key), all.end());
  return all;
}

void write_attributes(hid_t group, const Announced& one) {
  h5::set_attribute(group, "key", one.key);
  h5::set_attribute(group, "id", one.id);
  h5::set_attribute(group, "content_hash", one.content_hash);
  h5::set_attribute(group, "provenance", one.provenance);
  h5::set_attribute(group, "spacing", one.geometry.spacing);
  h5::set_attribute(group, "origin", one.geometry.origin);
  std::vector<double> direction;
  for (const auto& row : one.geometry.direction)
    direction.insert(direction.end(), row.begin(), row.end());
  h5::set_attribute(group, "direction", direction);
}

struct CaseDatasets {
  h5::Dataset image;
  h5::Dataset label;  // without handle where there is none
};

CaseDatasets create_case(hid_t file, std::size_t index, const Announced& one) {
  const h5::Handle group = h5::create_group(file, group_of_case(index));
  write_attributes(group, one);
  const auto extent = [](int value) { return static_cast<std::size_t>(value); };
  std::vector<std::size_t> extents{
      extent(one.shape.z), extent(one.shape.y), extent(one.shape.x)};
  CaseDatasets datasets;
  if (one.has_label) {
    datasets.label = h5::create_dataset(group, "label", {h5::Kind::uint8, 1}, extents);
    h5::set_attribute(datasets.label.handle, "checksum", one.label_checksum);
  }
  extents.insert(extents.begin(), extent(one.channels));
  datasets.image = h5::create_dataset(group, "image", {h5::Kind::float32, 4}, extents);
  h5::set_attribute(datasets.image.handle, "checksum", one.image_checksum);
  return datasets;
}

std::filesystem::path round_file(const std::filesystem::path& folder,
                                 const std::vector<Announced>& cases) {
  core::ContentHasher hasher;
  for (const Announced& one : cases)
    hasher.add(one.key);
  return folder /
         (std::string(round_prefix) + hasher.hexadecimal() + std::string(round_suffix));
}

std::uint64_t room_for(const std::vector<Announced>& cases) {
  std::uint64_t bytes = 16 * page;
  for (const Announced& one : cases)
    bytes += one.shape.voxels() * (4 * static_cast<std::uint64_t>(one.channels) + 1) +
             one.provenance.size() + 12 * page;
  return bytes;
}

void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw core::SystemError(folder.string() +
                            ": cannot make the folder of the volume cache: " + error.message());
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".tmp")
      discard(entry.path());  // of a killed job
}

}  // namespace

std::size_t write_round(comm::Communicator& communicator,
                        const std::vector<CachedCase>& mine,
                        const std::filesystem::path& folder) {
  comm::together(communicator, [&] {
    for (const CachedCase& one : mine)
      check(one);
    if (communicator.is_root())
      prepare_folder(folder);
  });
  const std::vector<Announced> cases = announce(communicator, mine);
  if (cases.empty())
    return 0;

  SharedFile shared(communicator, round_file(folder, cases), room_for(cases), page);
  std::vector<CaseDatasets> datasets;
  shared.phase([&](hid_t file) {
    h5::set_attribute(file, "format", std::string(cache_format));
    h5::set_attribute(file, "format_version", std::string(cache_version));
    for (std::size_t i = 0; i < cases.size(); ++i)
      datasets.push_back(create_case(file, i, cases[i]));
  });
  // Volumes differ in size and owner: each rank writes its own, without waiting for the others.
  shared.independent_phase([&](hid_t) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].owner != communicator.rank())
        continue;
      const CachedCase& one = mine[cases[i].position];
      h5::write_alone(datasets[i].image, one.image.data());
      if (cases[i].has_label)
        h5::write_alone(datasets[i].label, one.label.data());
    }
  });
  datasets.clear();
  shared.publish();
  return cases.size();
}

}  // namespace proxytune::store
