#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// Squared local normalised cross-correlation (paper, Eq. 2): the mean over all window centres
/// p of
///   (sum (x - mean x)(y - mean y))^2 / (sum (x - mean x)^2 * sum (y - mean y)^2)
/// with sums over the N = window^3 voxels around p; in [0, 1]. At the border the window reaches
/// into zeros, which count in N (as in MONAI and VoxelMorph), or Border::interior leaves such
/// centres out. Images are rounded to equidistant integer codes over their own range (21,845
/// levels for the window 9; with zeros around, the range includes 0), and all sums are
/// integers: exact, whatever the order. Rounding moves the value by some 1e-7 for
/// 35^3 voxels or more, by up to 4e-6 where there are a few hundred. A window is flat
/// where all its codes are equal.
class NormalizedCrossCorrelation : public Measure {
 public:
  NormalizedCrossCorrelation(int window,
                             FlatWindows flat_windows,
                             Border border,
                             InstructionSet set = chosen_instruction_set());
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  void compare_all(Images rows, Images columns, Cells cells, std::span<double> values) override;
  std::string identity() const override;

 private:
  int window_;
  FlatWindows flat_windows_;
  Border border_;
  InstructionSet set_;
  std::vector<std::int32_t> columns_;  // of each pair at hand: sums of products along z
};

}  // namespace proxytune::similarity
