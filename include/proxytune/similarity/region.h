#pragma once

#include <string>

#include "proxytune/imaging/volume.h"

namespace proxytune::similarity {

/// A volume to compare: preprocessed image, label, and the content key of both.
struct Subject {
  imaging::VolumeView image;
  imaging::LabelView label;
  std::string key;
  std::string name;  // for messages
};

/// The tight bounding box of all foreground classes, resampled to a cube of this edge
/// ("Labelcrop"). Throws core::DataError where the label has no foreground or another shape
/// than the image.
imaging::Volume label_cube(const Subject& subject, int edge);

}  // namespace proxytune::similarity
