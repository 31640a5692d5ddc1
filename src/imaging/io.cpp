#include "proxytune/imaging/io.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "imaging/image_file.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

namespace {

using Path = std::filesystem::path;
constexpr double channel_grid_tolerance = 1e-3;

/// Appends one channel of the file, refusing what no method can work with.
void append_channel(const DecodedFile& file,
                    int channel,
                    const Path& path,
                    std::vector<float>& to) {
  const std::size_t voxels = file.header.shape.voxels();
  const auto index = static_cast<std::size_t>(channel);
  const std::size_t begin = file.interleaved ? index : index * voxels;
  const std::size_t step =
      file.interleaved ? static_cast<std::size_t>(file.header.channels) : std::size_t{1};
  const std::size_t first = to.size();
  to.resize(first + voxels);
  with_values(file.type, file.bytes, [&](auto values) {
    for (std::size_t i = 0; i < voxels; ++i)
      to[first + i] = static_cast<float>(values[begin + i * step]);
  });
  const auto from = to.begin() + static_cast<std::ptrdiff_t>(first);
  if (!std::all_of(from, to.end(), [](float value) { return std::isfinite(value); }))
    throw core::DataError(
        path.string() + " has NaN or infinite voxels; repair the image or leave the case out");
  const auto [low, high] = std::minmax_element(from, to.end());
  if (*low == *high)
    throw core::DataError(path.string() + " is constant (every voxel of channel " +
                          std::to_string(channel) + " is " + std::to_string(*low) +
                          "); leave the case out");
}

void check_choice(const std::vector<int>& channels, int available, const Path& path) {
  for (const int channel : channels)
    if (channel < 0 || channel >= available)
      throw core::DataError(path.string() + " has " + std::to_string(available) +
                            " channel(s), so there is no channel " + std::to_string(channel) +
                            "; channels count from 0");
}

std::vector<int> all_or(const std::vector<int>& channels, int available, const Path& path) {
  check_choice(channels, available, path);
  if (!channels.empty())
    return channels;
  std::vector<int> all(static_cast<std::size_t>(available));
  for (int i = 0; i < available; ++i)
    all[static_cast<std::size_t>(i)] = i;
  return all;
}

Volume read_single_file(const Path& file, const std::vector<int>& channels) {
  const DecodedFile decoded = decode_file(file);
  const auto chosen = all_or(channels, decoded.header.channels, file);
  Volume volume{
      static_cast<int>(chosen.size()), decoded.header.shape, decoded.header.geometry, {}};
  volume.voxels.reserve(chosen.size() * volume.shape.voxels());
  for (const int channel : chosen)
    append_channel(decoded, channel, file, volume.voxels);
  return volume;
}

}  // namespace

ImageHeader read_header(const Path& file) {
  return decode_header(file);
}

Volume read_image(const std::vector<Path>& files, const std::vector<int>& channels) {
  if (files.empty())
    throw core::DataError("a case has no image file; name one in dataset.json");
  if (files.size() == 1)
    return read_single_file(files.front(), channels);
  const auto chosen = all_or(channels, static_cast<int>(files.size()), files.front());
  Volume volume;
  for (const int index : chosen) {
    const Path& file = files[static_cast<std::size_t>(index)];
    Volume one = read_single_file(file, {});
    if (one.channels != 1)
      throw core::DataError(file.string() + " has " + std::to_string(one.channels) +
                            " channels, but a case of several files has one channel a file");
    if (volume.voxels.empty()) {
      volume = std::move(one);
      continue;
    }
    if (const auto difference = grid_difference(
            volume.shape, volume.geometry, one.shape, one.geometry, channel_grid_tolerance))
      throw core::DataError(file.string() + " does not lie on the grid of " +
                            files[static_cast<std::size_t>(chosen.front())].string() + ": " +
                            *difference + "; resample the channels to one grid");
    volume.voxels.insert(volume.voxels.end(), one.voxels.begin(), one.voxels.end());
    ++volume.channels;
  }
  return volume;
}

RawLabels read_labels(const Path& file) {
  const DecodedFile decoded = decode_file(file);
  if (decoded.header.channels != 1)
    throw core::DataError(file.string() + " has " + std::to_string(decoded.header.channels) +
                          " channels, but a label has one integer a voxel");
  RawLabels labels{decoded.header.shape, decoded.header.geometry, {}};
  labels.voxels.resize(labels.shape.voxels());
  with_values(decoded.type, decoded.bytes, [&](auto values) {
    for (std::size_t i = 0; i < labels.voxels.size(); ++i) {
      const auto value = static_cast<double>(values[i]);
      const bool fits = value >= std::numeric_limits<std::int32_t>::min() &&
                        value <= std::numeric_limits<std::int32_t>::max();
      if (!fits || value != std::nearbyint(value))
        throw core::DataError(file.string() + " holds the value " + std::to_string(value) +
                              ", but a label has integers only; is it an image?");
      labels.voxels[i] = static_cast<std::int32_t>(value);
    }
  });
  return labels;
}

void write_image(const Path& file, const Volume& image) {
  encode_file(file,
              {image.channels, image.shape, image.geometry},
              VoxelType::float32,
              std::as_bytes(std::span(image.voxels)));
}

void write_labels(const Path& file, const LabelVolume& label) {
  encode_file(file,
              {1, label.shape, label.geometry},
              VoxelType::uint8,
              std::as_bytes(std::span(label.voxels)));
}

}  // namespace proxytune::imaging
