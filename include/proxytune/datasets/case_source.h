#pragma once

#include <string>

#include "proxytune/imaging/volume.h"

namespace proxytune::datasets {

/// A preprocessed case: what training, ranking and scoring see.
struct PreparedCase {
  std::string id;   // as the data set names it
  std::string key;  // content: image, label, and the preprocessing that made it
  imaging::VolumeView image;
  imaging::LabelView label;
};

/// Preprocessed cases by position; whether they lie in memory, on a device or in a mapped file
/// is its own affair. Views live as long as the source.
class CaseSource {
 public:
  virtual ~CaseSource() = default;
  virtual int size() const = 0;
  virtual PreparedCase at(int index) const = 0;
};

}  // namespace proxytune::datasets
