#pragma once

#include <memory>
#include <string>

#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// Pearson's correlation of all voxels of two images, in [-1, 1], mean over channels; 0 with a
/// constant image. The baseline that local NCC refines.
class GlobalCrossCorrelation : public PairwiseMeasure {
 public:
  explicit GlobalCrossCorrelation(InstructionSet set = chosen_instruction_set()) : set_(set) {}
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  std::string identity() const override { return "global_cross_correlation"; }

 private:
  double compare_pair(const PreparedImage& one, const PreparedImage& other) override;
  InstructionSet set_;
};

/// The negative of the mean squared difference of intensities, so that more similar images have
/// the greater value, as with the other measures; at most 0, mean over channels.
class MeanSquaredDifference : public PairwiseMeasure {
 public:
  explicit MeanSquaredDifference(InstructionSet set = chosen_instruction_set()) : set_(set) {}
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  std::string identity() const override { return "mean_squared_difference"; }

 private:
  double compare_pair(const PreparedImage& one, const PreparedImage& other) override;
  InstructionSet set_;
};

}  // namespace proxytune::similarity
