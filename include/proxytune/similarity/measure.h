#pragma once

#include <memory>
#include <string>

#include "proxytune/imaging/volume.h"
#include "proxytune/similarity/options.h"

namespace proxytune::similarity {

/// What a measure keeps of an image so that a pair costs as little as possible.
class PreparedImage {
 public:
  virtual ~PreparedImage() = default;
};

/// A pairwise measure of images on one grid: prepare each image once, compare each pair. Images
/// of several channels give the mean over channels. Symmetric to the last bit. Not thread-safe
/// (it holds scratch memory): one a thread.
class Measure {
 public:
  virtual ~Measure() = default;
  virtual std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const = 0;
  /// Both prepared by a measure of the same options. Throws core::DataError unless shapes and
  /// channels are equal.
  virtual double compare(const PreparedImage& one, const PreparedImage& other) = 0;
  /// Every option that changes its values, as text: part of the identity of a result.
  virtual std::string identity() const = 0;
};

/// The measure that the options name. A new one is an enumerator, a line here, and a file.
std::unique_ptr<Measure> make_measure(Metric metric, const SimilarityOptions& options);

}  // namespace proxytune::similarity
