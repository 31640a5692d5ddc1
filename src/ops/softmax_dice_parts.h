#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/clones.h"
#include "ops/softmax_dice_kernel.h"

// What softmax_dice() is made of, for two classes and for more. No LibTorch here.
namespace proxytune::ops {

/// exp(x) for x <= 0 within 2 units in the last place (Cephes' polynomial), without branches;
/// NaN stays NaN. Below -87 it is the smallest normal number.
PROXYTUNE_INLINE float exponential(float x) {
  x = x < -87.0F ? -87.0F : x;
  const float shifted = x * 1.44269504F + 12582912.0F;
  const float n = shifted - 12582912.0F;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) +
                              (std::bit_cast<std::uint32_t>(shifted) << 23));
}
PROXYTUNE_INLINE double exponential(double x) {
  return std::exp(x);
}

/// Without a branch, which would keep loops from being vectorised.
template <class T>
PROXYTUNE_INLINE T one_if(bool is) {
  return static_cast<T>(static_cast<std::int32_t>(is));
}

/// Over the voxels of a patch, of one class.
struct DiceSums {
  double intersection = 0;
  double prediction = 0;
  double truth = 0;
};

/// d(loss)/d(probability) of a class is slope + (label is this class ? step : 0).
template <class T>
struct ClassGradient {
  T slope = 0;
  T step = 0;
};

/// The patch's mean over classes; says what each contributes to the gradient.
template <class T>
inline double dice_of(const SoftmaxDiceOptions& options,
                      const std::vector<DiceSums>& sums,
                      std::int64_t batch,
                      std::vector<ClassGradient<T>>& of_class) {
  const std::size_t first = options.background ? 0 : 1;
  const auto terms = static_cast<double>(sums.size() - first) * static_cast<double>(batch);
  double dice = 0;
  of_class.assign(sums.size(), {});
  for (std::size_t c = first; c < sums.size(); ++c) {
    const double above = 2 * sums[c].intersection + options.smooth;
    const double below = sums[c].truth + sums[c].prediction + options.smooth;
    dice += (1 - above / below) / terms;
    of_class[c] = {static_cast<T>(above / (below * below) / terms),
                   static_cast<T>(-2 / below / terms)};
  }
  return dice;
}

/// softmax_dice() of two classes: one exponential and one division a voxel.
double softmax_dice_of_two(const LossShape& shape,
                           const SoftmaxDiceOptions& options,
                           const float* logits,
                           const std::uint8_t* labels,
                           float* gradient);

}  // namespace proxytune::ops
