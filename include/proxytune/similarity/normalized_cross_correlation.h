#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// What the pairs of one image share. Values have mean 0 and variance 1 over the image (the
/// measure does not feel scale and shift; sums stay small), and are padded by the window's
/// radius with what the image's zero became, unless windows stay inside.
struct LocallyCentredImage : PreparedImage {
  struct Channel {
    std::vector<float> values;         // over `padded`
    std::vector<double> local_means;   // over `centres`: mean of each window
    std::vector<float> inverse_norms;  // 1 / sqrt(sum of (x - local mean)^2); 0: no contrast
  };
  imaging::Shape padded;
  imaging::Shape centres;  // of the windows
  int window = 0;
  std::vector<Channel> channels;
};

/// Squared local normalised cross-correlation (paper, Eq. 2): the mean over all window centres
/// p of
///   (sum (x - mean x)(y - mean y))^2 / (sum (x - mean x)^2 * sum (y - mean y)^2)
/// with sums over the N = window^3 voxels around p; in [0, 1]. At the border the window reaches
/// into zeros, which count in N (as in MONAI and VoxelMorph), or Border::interior leaves such
/// centres out. A window is flat where its variance is below 1e-8 of its image's.
class NormalizedCrossCorrelation : public Measure {
 public:
  NormalizedCrossCorrelation(int window, FlatWindows flat_windows, Border border);
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  double compare(const PreparedImage& one, const PreparedImage& other) override;
  std::string identity() const override;

 private:
  LocallyCentredImage::Channel prepare_channel(std::span<const float> values,
                                               const imaging::Shape& shape,
                                               const LocallyCentredImage& image) const;
  double compare_channel(const LocallyCentredImage::Channel& one,
                         const LocallyCentredImage::Channel& other,
                         const LocallyCentredImage& image);

  int window_;
  FlatWindows flat_windows_;
  Border border_;
  std::vector<double> scratch_;
};

}  // namespace proxytune::similarity
