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
  struct Channel {
    std::vector<std::uint8_t> codes;
    double count_logarithms = 0;  // sum over codes of count * ln(count)
    int occupied = 0;             // codes that occur
  };
  imaging::Shape shape;
  int bins = 0;
  std::vector<Channel> channels;
  std::size_t bytes() const override;
};

QuantisedImage quantise(const imaging::VolumeView& image,
                        int bins,
                        InstructionSet set = chosen_instruction_set());

/// Entropy of the codes in nats, mean over channels.
double entropy(const QuantisedImage& image);

/// Mutual information (paper, Eq. 1) of the plain joint histogram, in nats:
///   MI = ln N + (sum c_ij ln c_ij - sum r_i ln r_i - sum k_j ln k_j) / N >= 0
/// with joint counts c, their row sums r and column sums k over N voxels. Counts are integers,
/// so no order of voxels changes a bit. Options: the Miller-Madow correction of each entropy,
/// H + (occupied cells - 1) / 2N, takes off the plain histogram's upward bias, and may leave a
/// value slightly below 0; `normalised` gives 2 MI / (H_one + H_other) in [0, 1]. With a
/// constant image it is 0.
class MutualInformation : public PairwiseMeasure {
 public:
  explicit MutualInformation(int bins,
                             bool miller_madow = false,
                             bool normalised = false,
                             InstructionSet set = chosen_instruction_set());
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  std::string identity() const override;

 private:
  struct Joint {
    double count_logarithms = 0;
    int occupied = 0;
  };

  double compare_pair(const PreparedImage& one, const PreparedImage& other) override;
  double compare_channel(const QuantisedImage::Channel& one,
                         const QuantisedImage::Channel& other);
  void count(const QuantisedImage::Channel& one, const QuantisedImage::Channel& other);
  Joint sum_up() const;

  int bins_;
  bool miller_madow_;
  bool normalised_;
  InstructionSet set_;
  std::vector<std::uint32_t> joint_;      // row * stride + column
  std::vector<std::uint16_t> tables_;     // scratch of the count
  std::vector<double> small_logarithms_;  // n ln n for small n
};

}  // namespace proxytune::similarity
