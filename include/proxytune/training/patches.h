#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/datasets/case_source.h"
#include "proxytune/training/boxes.h"
#include "proxytune/training/options.h"
#include "proxytune/trials/trial.h"

namespace proxytune::training {

/// Random patches of the training cases, MONAI's RandCropByPosNegLabel and RandShiftIntensity:
/// a coin with `foreground_ratio` picks a class of centres, the centre is uniform among its
/// voxels and moved so that the patch lies inside; then, with `shift_probability`, an offset
/// uniform in [-shift_offset, shift_offset] is added to all voxels of the patch.
/// All numbers are keyed by (trial, epoch, content of the case, draw): the order in which cases
/// are given and cut does not matter.
class PatchSampler {
 public:
  /// Throws core::DataError, with the case's name, for a volume smaller than the patch and for
  /// a class that the network does not know. `cases` must outlive the sampler.
  PatchSampler(const datasets::CaseSource& cases,
               std::span<const int> indices,
               const TrainingOptions& options,
               const trials::HyperParameters& hyper_parameters,
               int classes,
               const core::RandomKey& trial);

  /// The epoch's steps: cases, as positions in this sampler, shuffled; the last may be smaller.
  std::vector<std::vector<int>> steps(int epoch) const;

  int patches_per_case() const { return options_.patches_per_case; }
  Triple patch() const { return patch_; }
  int channels() const { return cases_.empty() ? 0 : cases_.front().prepared.image.channels; }

  /// One patch into (z, y, x, channel) and (z, y, x).
  void cut(int epoch,
           int position,
           int draw,
           std::span<float> image,
           std::span<std::uint8_t> label) const;

  /// Where cut() cuts.
  Box box(int epoch, int position, int draw) const;

 private:
  struct Case {
    datasets::PreparedCase prepared;
    std::vector<std::int32_t> foreground;  // offsets of the labelled voxels
    std::size_t background = 0;            // number of voxels a background patch may centre on
  };
  core::RandomKey key(const char* what, int epoch, const Case& of, int draw) const;
  Case indexed(datasets::PreparedCase prepared, int classes) const;
  bool is_background(const Case& of, std::size_t voxel) const;
  std::size_t centre(const Case& of, core::Random& random) const;

  TrainingOptions options_;
  trials::HyperParameters hyper_parameters_;
  Triple patch_;
  core::RandomKey trial_;
  std::vector<Case> cases_;  // sorted by content key
};

}  // namespace proxytune::training
