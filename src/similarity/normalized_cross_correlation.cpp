#include "proxytune/similarity/normalized_cross_correlation.h"

#include <algorithm>
#include <cmath>

#include "box_sums.h"
#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

constexpr double flat_variance = 1e-8;  // of the image's own

double window_voxels(int window) {
  return static_cast<double>(window) * window * window;
}

imaging::Shape grown(const imaging::Shape& shape, int voxels) {
  return {shape.z + voxels, shape.y + voxels, shape.x + voxels};
}

struct Scaling {
  double mean = 0;
  double factor = 1;
  float of(double value) const { return static_cast<float>((value - mean) * factor); }
};

/// To mean 0 and variance 1; a constant image keeps its step against the zeros around it.
Scaling standardising(std::span<const float> values) {
  Scaling scaling;
  double sum = 0;
  for (const float value : values)
    sum += value;
  scaling.mean = sum / static_cast<double>(values.size());
  double squares = 0;
  for (const float value : values)
    squares += (value - scaling.mean) * (value - scaling.mean);
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low < *high)
    scaling.factor = 1 / deviation;
  else if (*low != 0.0F)
    scaling = {static_cast<double>(*low), 1 / std::abs(static_cast<double>(*low))};
  return scaling;
}

std::vector<float> padded_values(std::span<const float> values,
                                 const imaging::Shape& shape,
                                 const imaging::Shape& padded,
                                 const Scaling& scaling) {
  std::vector<float> result(padded.voxels(), scaling.of(0.0));
  const int radius = (padded.x - shape.x) / 2;
  const auto width = static_cast<std::size_t>(shape.x);
  for (int z = 0; z < shape.z; ++z)
    for (int y = 0; y < shape.y; ++y) {
      const auto from = (static_cast<std::size_t>(z) * static_cast<std::size_t>(shape.y) +
                         static_cast<std::size_t>(y)) *
                        width;
      const auto to =
          (static_cast<std::size_t>(z + radius) * static_cast<std::size_t>(padded.y) +
           static_cast<std::size_t>(y + radius)) *
              static_cast<std::size_t>(padded.x) +
          static_cast<std::size_t>(radius);
      for (std::size_t x = 0; x < width; ++x)
        result[to + x] = scaling.of(values[from + x]);
    }
  return result;
}

void check_comparable(const LocallyCentredImage& one, const LocallyCentredImage& other) {
  if (!(one.padded == other.padded) || !(one.centres == other.centres) ||
      one.channels.size() != other.channels.size())
    throw core::DataError(
        "local cross-correlation compares images of one shape and one number of channels; "
        "resample "
        "them to a common grid, and give all cases the same channels.");
}

}  // namespace

NormalizedCrossCorrelation::NormalizedCrossCorrelation(int window,
                                                       FlatWindows flat_windows,
                                                       Border border)
    : window_(window), flat_windows_(flat_windows), border_(border) {}

std::unique_ptr<PreparedImage> NormalizedCrossCorrelation::prepare(
    const imaging::VolumeView& image) const {
  auto prepared = std::make_unique<LocallyCentredImage>();
  prepared->window = window_;
  prepared->padded =
      border_ == Border::zero_padded ? grown(image.shape, window_ - 1) : image.shape;
  prepared->centres = grown(prepared->padded, 1 - window_);
  const imaging::Shape& centres = prepared->centres;
  if (std::min({image.shape.z, image.shape.y, image.shape.x}) < 1 ||
      std::min({centres.z, centres.y, centres.x}) < 1)
    throw core::DataError(
        "no window of edge " + std::to_string(window_) + " lies inside a volume of " +
        std::to_string(image.shape.x) + " x " + std::to_string(image.shape.y) + " x " +
        std::to_string(image.shape.z) +
        " voxels. Use a smaller similarity.window or the zero_padded border.");
  for (int c = 0; c < image.channels; ++c)
    prepared->channels.push_back(prepare_channel(image.channel(c), image.shape, *prepared));
  return prepared;
}

LocallyCentredImage::Channel NormalizedCrossCorrelation::prepare_channel(
    std::span<const float> values,
    const imaging::Shape& shape,
    const LocallyCentredImage& image) const {
  LocallyCentredImage::Channel channel;
  channel.values = padded_values(values, shape, image.padded, standardising(values));
  channel.local_means.resize(image.centres.voxels());
  channel.inverse_norms.resize(image.centres.voxels());
  const double voxels = window_voxels(window_);
  const auto width = static_cast<std::size_t>(image.centres.x);
  const float* const x = channel.values.data();
  const std::vector<float> ones(channel.values.size(), 1.0F);
  std::vector<double> scratch;
  const auto keep_means = [&](std::size_t first, const double* sums) {
    for (std::size_t i = 0; i < width; ++i)
      channel.local_means[first + i] = sums[i] / voxels;
  };
  for_each_row_of_box_sums(image.padded, window_, x, ones.data(), scratch, keep_means);
  const auto keep_norms = [&](std::size_t first, const double* sums) {
    for (std::size_t i = 0; i < width; ++i) {
      const double mean = channel.local_means[first + i];
      const double squares = sums[i] - voxels * (mean * mean);
      channel.inverse_norms[first + i] =
          squares > voxels * flat_variance ? static_cast<float>(1 / std::sqrt(squares)) : 0.0F;
    }
  };
  for_each_row_of_box_sums(image.padded, window_, x, x, scratch, keep_norms);
  return channel;
}

double NormalizedCrossCorrelation::compare(const PreparedImage& one,
                                           const PreparedImage& other) {
  const auto& a = dynamic_cast<const LocallyCentredImage&>(one);
  const auto& b = dynamic_cast<const LocallyCentredImage&>(other);
  check_comparable(a, b);
  double sum = 0;
  for (std::size_t c = 0; c < a.channels.size(); ++c)
    sum += compare_channel(a.channels[c], b.channels[c], a);
  return sum / static_cast<double>(a.channels.size());
}

double NormalizedCrossCorrelation::compare_channel(const LocallyCentredImage::Channel& one,
                                                   const LocallyCentredImage::Channel& other,
                                                   const LocallyCentredImage& image) {
  const double voxels = window_voxels(window_);
  const auto width = static_cast<std::size_t>(image.centres.x);
  Lanes lanes{};
  const auto add = [&](std::size_t first, const double* products) {
    add_squared_correlations(width,
                             voxels,
                             products,
                             one.local_means.data() + first,
                             other.local_means.data() + first,
                             one.inverse_norms.data() + first,
                             other.inverse_norms.data() + first,
                             lanes);
  };
  for_each_row_of_box_sums(
      image.padded, window_, one.values.data(), other.values.data(), scratch_, add);
  double sum = total(lanes);
  auto centres = static_cast<double>(one.inverse_norms.size());
  if (flat_windows_ != FlatWindows::zero) {
    std::size_t flat = 0;
    for (std::size_t i = 0; i < one.inverse_norms.size(); ++i)
      flat += one.inverse_norms[i] == 0.0F || other.inverse_norms[i] == 0.0F ? 1U : 0U;
    if (flat_windows_ == FlatWindows::one)
      sum += static_cast<double>(flat);
    else
      centres -= static_cast<double>(flat);
  }
  return centres > 0 ? std::min(1.0, sum / centres) : 0.0;
}

std::string NormalizedCrossCorrelation::identity() const {
  return "normalized_cross_correlation window=" + std::to_string(window_) +
         " flat_windows=" + core::to_string(flat_windows_) +
         " border=" + core::to_string(border_);
}

}  // namespace proxytune::similarity
