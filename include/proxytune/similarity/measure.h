#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "proxytune/imaging/volume.h"
#include "proxytune/similarity/instruction_set.h"
#include "proxytune/similarity/options.h"

namespace proxytune::similarity {

/// What a measure keeps of an image so that a pair costs as little as possible.
class PreparedImage {
 public:
  virtual ~PreparedImage() = default;
  virtual std::size_t bytes() const = 0;
};

class Gpu;

using Images = std::span<const PreparedImage* const>;

/// Which cells of rows x columns are computed: all, or, where rows and columns are the same
/// images in the same order, those on and above the diagonal, which the others mirror.
enum class Cells { all, upper };

/// A pairwise measure of images on one grid: prepare each image once, compare each pair. Images
/// of several channels give the mean over channels. Symmetric to the last bit, and the same to
/// the last bit for every instruction set, on a processor and on a GPU, and in every company of
/// other pairs. Not thread-safe (it holds scratch memory): one a thread.
class Measure {
 public:
  virtual ~Measure() = default;
  virtual std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const = 0;
  /// values[row * columns.size() + column], all prepared by a measure of the same options.
  /// Throws core::DataError unless shapes and channels are equal.
  virtual void compare_all(Images rows,
                           Images columns,
                           Cells cells,
                           std::span<double> values) = 0;
  double compare(const PreparedImage& one, const PreparedImage& other);
  /// Rows and columns that it compares best at once: as many as local NCC works on together.
  virtual int task_edge() const { return 8; }
  /// Bytes that prepared images may take in its GPU's memory; 0: they lie in the rank's.
  virtual std::size_t device_memory() const { return 0; }
  /// Every option that changes its values, as text: part of the identity of a result.
  virtual std::string identity() const = 0;
};

/// A measure whose pairs share nothing but the prepared images.
class PairwiseMeasure : public Measure {
 public:
  void compare_all(Images rows, Images columns, Cells cells, std::span<double> values) override;

 protected:
  virtual double compare_pair(const PreparedImage& one, const PreparedImage& other) = 0;
};

/// The measure that the options name. A new one is an enumerator, a line here, and a file.
/// Mutual information and local NCC are left to the GPU, if there is one (device.h).
std::unique_ptr<Measure> make_measure(Metric metric,
                                      const SimilarityOptions& options,
                                      InstructionSet set = chosen_instruction_set(),
                                      const std::shared_ptr<Gpu>& gpu = nullptr);

/// Of its values: "nat", "1" or "intensity^2".
std::string unit_of(Metric metric, const SimilarityOptions& options);

}  // namespace proxytune::similarity
