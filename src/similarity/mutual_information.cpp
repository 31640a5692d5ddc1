#include "proxytune/similarity/mutual_information.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

// Neighbouring voxels often fall into one cell; with several tables their increments do not
// wait for one another. Above 64 bins the tables leave the first caches and one is faster.
constexpr std::size_t private_tables = 4;
constexpr int most_bins_for_private_tables = 64;
constexpr std::size_t small_counts = 4096;

double times_logarithm(double count) {
  return count > 0 ? count * std::log(count) : 0.0;
}

std::vector<std::uint8_t> codes_of(std::span<const float> values, int bins) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  std::vector<std::uint8_t> codes(values.size(), 0);
  if (low == values.end() || !(*low < *high))
    return codes;
  const double minimum = *low;
  const double scale = bins / (static_cast<double>(*high) - minimum);
  std::transform(values.begin(), values.end(), codes.begin(), [&](float value) {
    const int code = static_cast<int>((static_cast<double>(value) - minimum) * scale);
    return static_cast<std::uint8_t>(std::min(code, bins - 1));
  });
  return codes;
}

double sum_of_count_logarithms(const std::vector<std::uint8_t>& codes) {
  std::array<std::uint64_t, 256> counts{};
  for (const std::uint8_t code : codes)
    ++counts[code];
  double sum = 0;
  for (const std::uint64_t count : counts)
    sum += times_logarithm(static_cast<double>(count));
  return sum;
}

void check_comparable(const QuantisedImage& one, const QuantisedImage& other, int bins) {
  if (!(one.shape == other.shape) || one.channels.size() != other.channels.size())
    throw core::DataError(
        "mutual information compares images of one shape and one number of channels; resample "
        "them to a common grid, and give all cases the same channels.");
  if (one.bins != bins || other.bins != bins)
    throw std::logic_error("images quantised to other bins than the histogram's");
}

bool is_constant(const QuantisedImage& image, std::size_t channel) {
  const auto voxels = static_cast<double>(image.channels[channel].size());
  return image.count_logarithms[channel] == times_logarithm(voxels);
}

}  // namespace

QuantisedImage quantise(const imaging::VolumeView& image, int bins) {
  QuantisedImage quantised;
  quantised.shape = image.shape;
  quantised.bins = bins;
  for (int c = 0; c < image.channels; ++c) {
    quantised.channels.push_back(codes_of(image.channel(c), bins));
    quantised.count_logarithms.push_back(sum_of_count_logarithms(quantised.channels.back()));
  }
  return quantised;
}

double entropy(const QuantisedImage& image) {
  double sum = 0;
  for (std::size_t c = 0; c < image.channels.size(); ++c) {
    const auto voxels = static_cast<double>(image.channels[c].size());
    sum += std::log(voxels) - image.count_logarithms[c] / voxels;
  }
  return sum / static_cast<double>(image.channels.size());
}

MutualInformation::MutualInformation(int bins) : bins_(bins), small_logarithms_(small_counts) {
  const auto cells = static_cast<std::size_t>(bins) * static_cast<std::size_t>(bins);
  joint_.resize(cells * (bins <= most_bins_for_private_tables ? private_tables : 1));
  for (std::size_t n = 0; n < small_counts; ++n)
    small_logarithms_[n] = times_logarithm(static_cast<double>(n));
}

std::unique_ptr<PreparedImage> MutualInformation::prepare(
    const imaging::VolumeView& image) const {
  return std::make_unique<QuantisedImage>(quantise(image, bins_));
}

std::string MutualInformation::identity() const {
  return "mutual_information bins=" + std::to_string(bins_);
}

void MutualInformation::count(const std::vector<std::uint8_t>& rows,
                              const std::vector<std::uint8_t>& columns) {
  std::fill(joint_.begin(), joint_.end(), 0U);
  const auto bins = static_cast<std::size_t>(bins_);
  const std::size_t cells = bins * bins;
  const std::size_t voxels = rows.size();
  const std::uint8_t* const row = rows.data();
  const std::uint8_t* const column = columns.data();
  std::uint32_t* const joint = joint_.data();
  std::size_t v = 0;
  if (joint_.size() > cells) {
    for (; v + private_tables <= voxels; v += private_tables) {
      ++joint[row[v] * bins + column[v]];
      ++joint[cells + row[v + 1] * bins + column[v + 1]];
      ++joint[2 * cells + row[v + 2] * bins + column[v + 2]];
      ++joint[3 * cells + row[v + 3] * bins + column[v + 3]];
    }
    for (std::size_t cell = 0; cell < cells; ++cell)
      joint[cell] += joint[cells + cell] + joint[2 * cells + cell] + joint[3 * cells + cell];
  }
  for (; v < voxels; ++v)
    ++joint[row[v] * bins + column[v]];
}

// A cell and its mirror image are added first: swapping the images changes no bit.
double MutualInformation::joint_count_logarithms() const {
  const auto bins = static_cast<std::size_t>(bins_);
  const auto term = [&](std::size_t row, std::size_t column) {
    const std::uint32_t count = joint_[row * bins + column];
    return count < small_counts ? small_logarithms_[count] : times_logarithm(count);
  };
  double sum = 0;
  for (std::size_t row = 0; row < bins; ++row) {
    sum += term(row, row);
    for (std::size_t column = row + 1; column < bins; ++column)
      sum += term(row, column) + term(column, row);
  }
  return sum;
}

double MutualInformation::compare(const PreparedImage& one, const PreparedImage& other) {
  const auto& a = dynamic_cast<const QuantisedImage&>(one);
  const auto& b = dynamic_cast<const QuantisedImage&>(other);
  check_comparable(a, b, bins_);
  double sum = 0;
  for (std::size_t c = 0; c < a.channels.size(); ++c) {
    if (is_constant(a, c) || is_constant(b, c))
      continue;
    count(a.channels[c], b.channels[c]);
    const auto voxels = static_cast<double>(a.channels[c].size());
    const double marginals = a.count_logarithms[c] + b.count_logarithms[c];
    sum += std::max(0.0, std::log(voxels) + (joint_count_logarithms() - marginals) / voxels);
  }
  return sum / static_cast<double>(a.channels.size());
}

}  // namespace proxytune::similarity
