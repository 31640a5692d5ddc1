#include "proxytune/datasets/load_case.h"

#include <array>
#include <optional>

#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "proxytune/imaging/grid.h"
#include "proxytune/imaging/io.h"
#include "proxytune/imaging/preprocess.h"

namespace proxytune::datasets {

namespace {

void add_shape(core::ContentHasher& hasher, const imaging::Shape& shape, int channels) {
  hasher.add(std::to_string(channels) + " x " + imaging::to_text(shape));
}

std::optional<int> class_of(int value, const std::map<int, int>& label_map) {
  if (label_map.empty())
    return value >= 0 && value <= 255 ? std::optional<int>(value) : std::nullopt;
  const auto found = label_map.find(value);
  return found == label_map.end() ? std::nullopt : std::optional<int>(found->second);
}

imaging::LabelVolume classes(const imaging::RawLabels& raw,
                             const std::map<int, int>& label_map,
                             const std::string& file) {
  imaging::LabelVolume label{raw.shape, raw.geometry, {}};
  label.voxels.reserve(raw.voxels.size());
  std::optional<std::uint8_t> last_class;
  int last = 0;
  for (const int value : raw.voxels) {
    if (!last_class || value != last) {
      const auto found = class_of(value, label_map);
      if (!found && label_map.empty())
        throw core::DataError(file + " holds the label value " + std::to_string(value) +
                              ", but classes are 0 to 255; give a label map");
      if (!found || *found < 0 || *found > 255)
        throw core::DataError(file + " holds the label value " + std::to_string(value) +
                              ", which the label map does not turn into a class of 0 to 255; "
                              "add \"" +
                              std::to_string(value) +
                              ": CLASS\" to the label map (0 makes it background)");
      last = value;
      last_class = static_cast<std::uint8_t>(*found);
    }
    label.voxels.push_back(*last_class);
  }
  return label;
}

std::string case_hash(const LoadedCase& loaded) {
  core::ContentHasher hasher;
  hasher.add(loaded.image_hash);
  hasher.add(loaded.label_hash);
  const imaging::Geometry& geometry = loaded.image.geometry;
  hasher.add(std::as_bytes(std::span(geometry.spacing)));
  hasher.add(std::as_bytes(std::span(geometry.origin)));
  for (const auto& row : geometry.direction)
    hasher.add(std::as_bytes(std::span(row)));
  return hasher.hexadecimal();
}

}  // namespace

std::string content_hash(const imaging::VolumeView& image) {
  core::ContentHasher hasher;
  add_shape(hasher, image.shape, image.channels);
  hasher.add(std::as_bytes(image.voxels));
  return hasher.hexadecimal();
}

std::string content_hash(const imaging::LabelView& label) {
  core::ContentHasher hasher;
  add_shape(hasher, label.shape, 1);
  hasher.add(std::as_bytes(label.voxels));
  return hasher.hexadecimal();
}

LoadedCase load_case(const Case& which, const LoadOptions& options) {
  LoadedCase loaded;
  loaded.image = imaging::read_image(which.images, options.channels);
  loaded.label =
      classes(imaging::read_labels(which.label), options.label_map, which.label.string());
  if (const auto difference = imaging::grid_difference(loaded.image.shape,
                                                       loaded.image.geometry,
                                                       loaded.label.shape,
                                                       loaded.label.geometry,
                                                       options.geometry_tolerance))
    throw core::DataError(which.label.string() + " does not lie on the grid of " +
                          which.images.front().string() + ": " + *difference +
                          "; resample the label or widen geometry_tolerance");
  if (!imaging::has_foreground(imaging::view(loaded.label)))
    throw core::DataError(which.label.string() +
                          " has no foreground after the label map; leave the case out or "
                          "correct the map");
  loaded.image_hash = content_hash(imaging::view(loaded.image));
  loaded.label_hash = content_hash(imaging::view(loaded.label));
  loaded.content_hash = case_hash(loaded);
  return loaded;
}

}  // namespace proxytune::datasets
