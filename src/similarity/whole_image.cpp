#include "proxytune/similarity/whole_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "pair_kernels.h"
#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

/// The channels' values one after the other.
struct PlainImage : PreparedImage {
  imaging::Shape shape;
  std::vector<std::vector<float>> channels;
  std::size_t bytes() const override {
    return channels.size() * shape.voxels() * sizeof(float);
  }
};

std::unique_ptr<PlainImage> plain(const imaging::VolumeView& image) {
  auto prepared = std::make_unique<PlainImage>();
  prepared->shape = image.shape;
  for (int c = 0; c < image.channels; ++c)
    prepared->channels.emplace_back(image.channel(c).begin(), image.channel(c).end());
  return prepared;
}

/// To mean 0 and a sum of squares of 1; a constant image to zeros.
void standardise(std::vector<float>& values) {
  double sum = 0;
  for (const float value : values)
    sum += value;
  const double mean = sum / static_cast<double>(values.size());
  double squares = 0;
  for (const float value : values)
    squares += (value - mean) * (value - mean);
  // A rounded mean leaves a constant image with some rest.
  bool constant = true;
  for (const float value : values)
    constant = constant && value == values.front();
  const double factor = constant ? 0.0 : 1 / std::sqrt(squares);
  for (float& value : values)
    value = static_cast<float>((value - mean) * factor);
}

template <class Term>
double mean_over_channels(const PreparedImage& one,
                          const PreparedImage& other,
                          const Term& term) {
  const auto& a = dynamic_cast<const PlainImage&>(one);
  const auto& b = dynamic_cast<const PlainImage&>(other);
  if (!(a.shape == b.shape) || a.channels.size() != b.channels.size())
    throw core::DataError(
        "images of one shape and one number of channels are compared; resample them to a "
        "common grid, and give all cases the same channels.");
  double sum = 0;
  for (std::size_t c = 0; c < a.channels.size(); ++c)
    sum += term(a.channels[c].data(), b.channels[c].data(), a.channels[c].size());
  return sum / static_cast<double>(a.channels.size());
}

}  // namespace

std::unique_ptr<PreparedImage> GlobalCrossCorrelation::prepare(
    const imaging::VolumeView& image) const {
  auto prepared = plain(image);
  for (std::vector<float>& channel : prepared->channels)
    standardise(channel);
  return prepared;
}

double GlobalCrossCorrelation::compare_pair(const PreparedImage& one,
                                            const PreparedImage& other) {
  // Rounding to floats may leave the square of an image a little above 1.
  return mean_over_channels(one, other, [&](const float* a, const float* b, std::size_t count) {
    return std::clamp(pair_kernels(set_).dot_product(a, b, count), -1.0, 1.0);
  });
}

std::unique_ptr<PreparedImage> MeanSquaredDifference::prepare(
    const imaging::VolumeView& image) const {
  return plain(image);
}

double MeanSquaredDifference::compare_pair(const PreparedImage& one,
                                           const PreparedImage& other) {
  const auto negative_mean = [&](const float* a, const float* b, std::size_t count) {
    return -pair_kernels(set_).squared_differences(a, b, count) / static_cast<double>(count);
  };
  return mean_over_channels(one, other, negative_mean);
}

}  // namespace proxytune::similarity
