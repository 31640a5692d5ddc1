#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxytune/datasets/dataset.h"
#include "proxytune/imaging/volume.h"

namespace proxytune::datasets {

struct LoadOptions {
  std::vector<int> channels{};     // of the image; empty: all
  std::map<int, int> label_map{};  // raw value -> class 0..255; empty: each value is its class
  double geometry_tolerance = 1e-3;  // between image and label, mm and direction cosines
};

struct LoadedCase {
  imaging::Volume image;
  imaging::LabelVolume label;
  /// Of the decoded voxels and shape, so that a copy under another name, format, compression or
  /// header is found. The label's hash is of classes.
  std::string image_hash;
  std::string label_hash;
  /// Of both and of the image's geometry: the identity of a case in caches.
  std::string content_hash;
};

/// Reads image and label of a case. Throws core::DataError, naming the file, for whatever
/// imaging::read_image refuses, for grids that differ, for a value that the label map does not
/// have, and for a label without foreground.
LoadedCase load_case(const Case& which, const LoadOptions& options);

std::string content_hash(const imaging::VolumeView& image);
std::string content_hash(const imaging::LabelView& label);

}  // namespace proxytune::datasets
