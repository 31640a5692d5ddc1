#include "proxytune/similarity/mutual_information.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "buffer.h"
#include "joint_sums.h"
#include "pair_kernels.h"
#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

constexpr std::size_t small_counts = 4096;
constexpr std::size_t table_gap = 96;

/// From one row of the joint histogram to the next: a factor that fits the kernels' bytes.
int stride_of(int bins) {
  return bins <= 127 ? bins : 256;
}

std::vector<std::uint8_t> codes_of(std::span<const float> values,
                                   int bins,
                                   const PairKernels& kernels) {
  std::vector<std::uint8_t> codes;
  codes.reserve(values.size());
  fetch_pages(codes.data(), codes.capacity());
  codes.resize(values.size(), 0);
  if (values.empty())
    return codes;
  const Range range = kernels.range_of(values.data(), values.size());
  if (!(range.low < range.high))
    return codes;
  const double low = range.low;
  const double scale = bins / (static_cast<double>(range.high) - low);
  kernels.bin_codes(values.data(), values.size(), low, scale, bins, codes.data());
  return codes;
}

/// Eight codes at a time: a run of one code, such as background, is one addition; neighbours
/// often are alike, and in four tables their increments do not wait for one another.
std::array<std::uint64_t, 256> counts_of(std::span<const std::uint8_t> codes) {
  std::array<std::array<std::uint64_t, 256>, 4> tables{};
  std::size_t i = 0;
  for (; i + 8 <= codes.size(); i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, codes.data() + i, sizeof eight);
    if (std::rotl(eight, 8) == eight) {
      tables[0][codes[i]] += 8;
      continue;
    }
    for (std::size_t k = 0; k < 8; ++k)
      ++tables[k % 4][codes[i + k]];
  }
  for (; i < codes.size(); ++i)
    ++tables[0][codes[i]];
  std::array<std::uint64_t, 256> counts{};
  for (const auto& table : tables)
    for (std::size_t code = 0; code < counts.size(); ++code)
      counts[code] += table[code];
  return counts;
}

QuantisedImage::Channel channel_of(std::vector<std::uint8_t> codes) {
  QuantisedImage::Channel channel;
  for (const std::uint64_t count : counts_of(codes)) {
    channel.count_logarithms += times_logarithm(static_cast<double>(count));
    channel.occupied += count > 0 ? 1 : 0;
  }
  channel.codes = std::move(codes);
  return channel;
}

}  // namespace

double times_logarithm(double count) {
  return count > 0 ? count * std::log(count) : 0.0;
}

void check_comparable(const QuantisedImage& one, const QuantisedImage& other, int bins) {
  if (!(one.shape == other.shape) || one.channels.size() != other.channels.size())
    throw core::DataError(
        "mutual information compares images of one shape and one number of channels; resample "
        "them to a common grid, and give all cases the same channels.");
  if (one.bins != bins || other.bins != bins)
    throw std::logic_error("images quantised to other bins than the histogram's");
}

double information(const QuantisedImage::Channel& one,
                   const QuantisedImage::Channel& other,
                   const JointSums& joint,
                   double voxels,
                   bool miller_madow,
                   bool normalised) {
  if (one.occupied < 2 || other.occupied < 2)
    return 0;
  const double marginals = one.count_logarithms + other.count_logarithms;
  double information =
      std::max(0.0, std::log(voxels) + (joint.count_logarithms - marginals) / voxels);
  double entropies = 2 * std::log(voxels) - marginals / voxels;
  if (miller_madow) {
    information += (one.occupied + other.occupied - joint.occupied - 1) / (2 * voxels);
    entropies += (one.occupied + other.occupied - 2) / (2 * voxels);
  }
  return normalised ? 2 * information / entropies : information;
}

std::size_t QuantisedImage::bytes() const {
  std::size_t bytes = 0;
  for (const Channel& channel : channels)
    bytes += channel.codes.size();
  return bytes;
}

QuantisedImage quantise(const imaging::VolumeView& image, int bins, InstructionSet set) {
  QuantisedImage quantised;
  quantised.shape = image.shape;
  quantised.bins = bins;
  for (int c = 0; c < image.channels; ++c)
    quantised.channels.push_back(
        channel_of(codes_of(image.channel(c), bins, pair_kernels(set))));
  return quantised;
}

double entropy(const QuantisedImage& image) {
  double sum = 0;
  for (const QuantisedImage::Channel& channel : image.channels) {
    const auto voxels = static_cast<double>(channel.codes.size());
    sum += std::log(voxels) - channel.count_logarithms / voxels;
  }
  return sum / static_cast<double>(image.channels.size());
}

MutualInformation::MutualInformation(int bins,
                                     bool miller_madow,
                                     bool normalised,
                                     InstructionSet set)
    : bins_(bins),
      miller_madow_(miller_madow),
      normalised_(normalised),
      set_(set),
      small_logarithms_(small_counts) {
  const auto cells = static_cast<std::size_t>(bins) * static_cast<std::size_t>(stride_of(bins));
  joint_.resize(cells);
  // Not a multiple of 4096 bytes, or equal cells of two tables would seem one address.
  tables_.resize(4 * (cells + table_gap));
  for (std::size_t n = 0; n < small_counts; ++n)
    small_logarithms_[n] = times_logarithm(static_cast<double>(n));
}

std::unique_ptr<PreparedImage> MutualInformation::prepare(
    const imaging::VolumeView& image) const {
  return std::make_unique<QuantisedImage>(quantise(image, bins_, set_));
}

std::string MutualInformation::identity() const {
  return "mutual_information bins=" + std::to_string(bins_) +
         (miller_madow_ ? " miller_madow" : "") + (normalised_ ? " normalised" : "");
}

void MutualInformation::count(const QuantisedImage::Channel& one,
                              const QuantisedImage::Channel& other) {
  std::fill(joint_.begin(), joint_.end(), 0U);
  pair_kernels(set_).count_jointly({.rows = one.codes.data(),
                                    .columns = other.codes.data(),
                                    .voxels = one.codes.size(),
                                    .stride = stride_of(bins_),
                                    .tables = tables_.data(),
                                    .table_distance = tables_.size() / 4,
                                    .cells = joint_.size(),
                                    .joint = joint_.data()});
}

// A cell and its mirror image are added first: swapping the images changes no bit.
MutualInformation::Joint MutualInformation::sum_up() const {
  const auto bins = static_cast<std::size_t>(bins_);
  const auto stride = static_cast<std::size_t>(stride_of(bins_));
  Joint joint;
  const auto term = [&](std::size_t row, std::size_t column) {
    const std::uint32_t count = joint_[row * stride + column];
    joint.occupied += count > 0 ? 1 : 0;
    return count < small_counts ? small_logarithms_[count] : times_logarithm(count);
  };
  for (std::size_t row = 0; row < bins; ++row) {
    joint.count_logarithms += term(row, row);
    for (std::size_t column = row + 1; column < bins; ++column)
      joint.count_logarithms += term(row, column) + term(column, row);
  }
  return joint;
}

double MutualInformation::compare_channel(const QuantisedImage::Channel& one,
                                          const QuantisedImage::Channel& other) {
  if (one.occupied < 2 || other.occupied < 2)
    return 0;
  count(one, other);
  const Joint joint = sum_up();
  return information(one,
                     other,
                     {joint.count_logarithms, joint.occupied},
                     static_cast<double>(one.codes.size()),
                     miller_madow_,
                     normalised_);
}

double MutualInformation::compare_pair(const PreparedImage& one, const PreparedImage& other) {
  const auto& a = dynamic_cast<const QuantisedImage&>(one);
  const auto& b = dynamic_cast<const QuantisedImage&>(other);
  check_comparable(a, b, bins_);
  double sum = 0;
  for (std::size_t c = 0; c < a.channels.size(); ++c)
    sum += compare_channel(a.channels[c], b.channels[c]);
  return sum / static_cast<double>(a.channels.size());
}

}  // namespace proxytune::similarity
