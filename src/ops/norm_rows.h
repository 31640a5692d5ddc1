#pragma once

#include <cstdint>

// Instance norm and PReLU on one channel's part of a plane: rows of `count` floats, `pitch`
// apart. Sums run in an order that depends on nothing but the rows' extents. No LibTorch here.
namespace proxytune::ops {

struct RowExtents {
  std::int64_t rows = 0;
  std::int64_t count = 0;
  std::int64_t pitch = 0;
};

/// Mean and sum of squared deviations, merged block by block (Chan et al. 1983): no
/// cancellation however far the mean is from zero.
struct ChannelMoments {
  double count = 0;
  double mean = 0;
  double squares = 0;
};
void add_moments(const RowExtents& extents, const float* values, ChannelMoments& moments);

/// (x - mean) * scale, then the slope below zero.
struct ChannelNorm {
  float mean = 0;
  float scale = 1;
  float slope = 1;
};
/// `to` may be `from`.
void activate(const RowExtents& extents, const ChannelNorm& norm, const float* from, float* to);

/// Sums that the norm's gradient needs.
struct ChannelGradient {
  double plain = 0;     // of the gradient before the activation
  double weighted = 0;  // of the same times the normalised value
  double slope = 0;     // of the slope's gradient
};
/// Turns gradients of what activate() gives into those before the activation, of the values
/// that it was given, and adds them up.
void pass_activation(const RowExtents& extents,
                     const ChannelNorm& norm,
                     const float* values,
                     float* gradients,
                     ChannelGradient& sums);

/// Turns those into the gradients of the values, when they are summed up over all voxels.
void pass_norm(const RowExtents& extents,
               const ChannelNorm& norm,
               float mean_plain,
               float mean_weighted,
               const float* values,
               float* gradients);

/// Adds the values up.
double sum_of(const RowExtents& extents, const float* values);

}  // namespace proxytune::ops
