#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// An image as codes 0..bins-1: `bins` equal intervals over each channel's own minimum to
/// maximum, the last closed, as numpy.histogram has them. A constant channel has code 0
/// everywhere.
struct QuantisedImage : PreparedImage {
  imaging::Shape shape;
  int bins = 0;
  std::vector<std::vector<std::uint8_t>> channels;
  std::vector<double> count_logarithms;  // of each channel: sum over codes of count * ln(count)
};

QuantisedImage quantise(const imaging::VolumeView& image, int bins);

/// Entropy of the codes in nats, mean over channels.
double entropy(const QuantisedImage& image);

/// Mutual information (paper, Eq. 1) of the plain joint histogram, in nats:
///   MI = ln N + (sum c_ij ln c_ij - sum r_i ln r_i - sum k_j ln k_j) / N >= 0
/// with joint counts c, their row sums r and column sums k over N voxels. Counts are integers,
/// so no order of voxels changes a bit. With a constant image it is 0.
class MutualInformation : public Measure {
 public:
  explicit MutualInformation(int bins);
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  double compare(const PreparedImage& one, const PreparedImage& other) override;
  std::string identity() const override;

 private:
  void count(const std::vector<std::uint8_t>& rows, const std::vector<std::uint8_t>& columns);
  double joint_count_logarithms() const;

  int bins_;
  std::vector<std::uint32_t> joint_;      // several private tables, then their sum in the first
  std::vector<double> small_logarithms_;  // n ln n for small n
};

}  // namespace proxytune::similarity
