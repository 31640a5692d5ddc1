#include <algorithm>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/store/volume_cache.h"
#include "store/cache_layout.h"
#include "store/mapping.h"
#include "store/reading.h"

namespace proxytune::store {

struct VolumeCache::State {
  struct Entry {
    MappedCase mapped;
    std::filesystem::path file;
    std::uint32_t image_checksum = 0, label_checksum = 0;
  };
  std::vector<Mapping> mappings;
  std::map<std::string, Entry> cases;
};

namespace {

/// A dataset's place in the mapped file, refused where it reaches beyond the end.
std::span<const std::byte> place_of(const h5::Dataset& dataset,
                                    std::span<const std::byte> file,
                                    const std::string& name) {
  const std::uint64_t offset = h5::offset_of(dataset);
  if (offset % 64 != 0 || offset > file.size() || dataset.bytes() > file.size() - offset)
    throw core::DataError("dataset " + name + " reaches beyond the end of the truncated file");
  return file.subspan(offset, dataset.bytes());
}

std::uint32_t checksum_of(const h5::Dataset& dataset) {
  if (const auto number = h5::checksum_attribute(dataset.handle))
    return *number;
  throw core::DataError("a volume carries no checksum, so proxytune did not write it");
}

template <class Value>
std::span<const Value> as(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const Value*>(bytes.data()), bytes.size() / sizeof(Value)};
}

imaging::Shape shape_of(const h5::Dataset& dataset, std::size_t axes, h5::Kind kind) {
  if (dataset.extents.size() != axes || dataset.element.kind != kind)
    throw core::DataError("a volume of the cache has another type or shape than expected");
  const auto extent = [&](std::size_t from_end) {
    return static_cast<int>(dataset.extents[axes - from_end]);
  };
  return {.z = extent(3), .y = extent(2), .x = extent(1)};
}

imaging::Geometry geometry_of(hid_t group) {
  imaging::Geometry geometry;
  const auto numbers = [&](const std::string& name, std::size_t count) {
    std::vector<double> values = h5::numbers_attribute(group, name);
    if (values.size() != count)
      throw core::DataError("attribute " + name + " is malformed");
    return values;
  };
  std::ranges::copy(numbers("spacing", 3), geometry.spacing.begin());
  std::ranges::copy(numbers("origin", 3), geometry.origin.begin());
  const std::vector<double> direction = numbers("direction", 9);
  for (std::size_t i = 0; i < 9; ++i)
    geometry.direction[i / 3][i % 3] = direction[i];
  return geometry;
}

MappedCase read_texts(hid_t group) {
  MappedCase mapped;
  mapped.key = h5::text_attribute(group, "key");
  mapped.id = h5::text_attribute(group, "id");
  mapped.content_hash = h5::text_attribute(group, "content_hash");
  mapped.provenance = h5::text_attribute(group, "provenance");
  mapped.geometry = geometry_of(group);
  return mapped;
}

std::vector<std::filesystem::path> rounds_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(round_prefix) && name.ends_with(round_suffix))
      files.push_back(entry.path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw core::DataError(folder.string() +
                          ": cannot list the volume cache: " + error.message());
  std::ranges::sort(files);
  return files;
}

void compare(std::span<const std::byte> bytes,
             std::uint32_t checksum,
             const std::filesystem::path& file,
             const std::string& what) {
  if (core::checksum(bytes) != checksum)
    throw core::DataError(file.string() + ": the " + what +
                          " differs from its checksum, so the file was damaged; delete it and "
                          "repeat the command, which reads its cases again");
}

}  // namespace

VolumeCache::VolumeCache(std::shared_ptr<const State> state) : state_(std::move(state)) {}

VolumeCache VolumeCache::open(const std::filesystem::path& folder) {
  auto state = std::make_shared<State>();
  const auto add_case = [&](hid_t group, const std::filesystem::path& file) {
    const std::span<const std::byte> bytes = state->mappings.back().bytes();
    State::Entry entry{.mapped = read_texts(group), .file = file};
    MappedCase& mapped = entry.mapped;
    const h5::Dataset image = h5::open_dataset(group, "image");
    mapped.image.shape = shape_of(image, 4, h5::Kind::float32);
    mapped.image.channels = static_cast<int>(image.extents.front());
    mapped.image.voxels = as<float>(place_of(image, bytes, mapped.id + "/image"));
    entry.image_checksum = checksum_of(image);
    mapped.label.shape = mapped.image.shape;
    if (h5::exists(group, "label")) {
      const h5::Dataset label = h5::open_dataset(group, "label");
      if (shape_of(label, 3, h5::Kind::uint8) != mapped.image.shape)
        throw core::DataError("label and image of " + mapped.id + " differ in shape");
      mapped.label.voxels = as<std::uint8_t>(place_of(label, bytes, mapped.id + "/label"));
      entry.label_checksum = checksum_of(label);
    }
    std::string key = mapped.key;
    state->cases.emplace(std::move(key), std::move(entry));
  };
  for (const std::filesystem::path& file : rounds_of(folder)) {
    as_data(file, [&] {
      const h5::Handle handle = open_checked(file, cache_format, "file of the volume cache");
      state->mappings.emplace_back(file);
      const h5::Handle cases = h5::open_group(handle, std::string(cases_group));
      for (const std::string& name : h5::names_in(cases))
        add_case(h5::open_group(cases, name), file);
    });
  }
  return VolumeCache(std::move(state));
}

bool VolumeCache::has(const std::string& key) const {
  return state_->cases.contains(key);
}

std::vector<std::string> VolumeCache::keys() const {
  std::vector<std::string> keys;
  for (const auto& entry : state_->cases)
    keys.push_back(entry.first);
  return keys;
}

const MappedCase& VolumeCache::at(const std::string& key) const {
  const auto found = state_->cases.find(key);
  if (found == state_->cases.end())
    throw core::DataError("the volume cache has no case " + key +
                          "; repeat the command from its preprocess stage");
  return found->second.mapped;
}

void VolumeCache::verify(const std::function<void(const std::string& id)>& next) const {
  for (const auto& [key, entry] : state_->cases) {
    const MappedCase& mapped = entry.mapped;
    if (next)
      next(mapped.id);
    compare(std::as_bytes(mapped.image.voxels),
            entry.image_checksum,
            entry.file,
            "image of " + mapped.id);
    if (!mapped.label.voxels.empty())
      compare(std::as_bytes(mapped.label.voxels),
              entry.label_checksum,
              entry.file,
              "label of " + mapped.id);
  }
}

std::uint64_t VolumeCache::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [key, entry] : state_->cases)
    sum += entry.mapped.image.voxels.size_bytes() + entry.mapped.label.voxels.size_bytes();
  return sum;
}

}  // namespace proxytune::store
