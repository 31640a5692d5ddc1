#include "proxytune/training/loss.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "training/vectorise.h"

namespace proxytune::training {
namespace {

constexpr double smooth = 1e-5;
constexpr int block = 256;  // voxels whose planes stay in the first-level cache

/// exp(x) for x <= 0 within 2 units in the last place (Cephes' polynomial), without branches;
/// NaN stays NaN. Below -87 it is the smallest normal number.
inline float exponential(float x) {
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

inline double lane_sum(const float* values) {
  float sums[lanes] = {};
  for (int i = 0; i < block; i += lanes)
    for (int lane = 0; lane < lanes; ++lane)
      sums[lane] += values[i + lane];
  double sum = 0;
  for (const float part : sums)
    sum += static_cast<double>(part);
  return sum;
}

struct Sums {
  double intersection = 0;
  double prediction = 0;
  double truth = 0;
};

/// Softmax of one block into planes (class, voxel); voxels at and beyond `count` are 0. Leaves
/// max + log(sum) inputs, i.e. the largest logit and the sum, for the cross-entropy.
PROXYTUNE_VECTORISE void softmax_block(
    const float* logits, int count, int classes, float* planes, float* largest, float* sum) {
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < count; ++v)
      planes[c * block + v] = logits[v * classes + c];
  for (int v = 0; v < count; ++v)
    largest[v] = planes[v];
  for (int c = 1; c < classes; ++c)
    for (int v = 0; v < count; ++v) {
      const float x = planes[c * block + v];
      largest[v] = x > largest[v] ? x : largest[v];
    }
  for (int v = 0; v < block; ++v)
    sum[v] = 0;
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < count; ++v) {
      const float e = exponential(planes[c * block + v] - largest[v]);
      planes[c * block + v] = e;
      sum[v] += e;
    }
  for (int c = 0; c < classes; ++c) {
    for (int v = 0; v < count; ++v)
      planes[c * block + v] /= sum[v];
    for (int v = count; v < block; ++v)
      planes[c * block + v] = 0;
  }
}

PROXYTUNE_VECTORISE void add_sums(
    const float* planes, const std::uint8_t* labels, int count, int classes, Sums* sums) {
  float chosen[block];
  for (int c = 0; c < classes; ++c) {
    const float* const p = planes + static_cast<std::ptrdiff_t>(c) * block;
    int truth = 0;
    for (int v = 0; v < block; ++v)
      chosen[v] = 0;
    for (int v = 0; v < count; ++v) {
      const bool is = labels[v] == c;
      chosen[v] = is ? p[v] : 0.0F;
      truth += is ? 1 : 0;
    }
    sums[c].intersection += lane_sum(chosen);
    sums[c].prediction += lane_sum(p);
    sums[c].truth += truth;
  }
}

/// d(loss)/d(probability) of class c is slope + (label == c ? step : 0); through the softmax.
/// `cross` is the weight of (p - g), the gradient of the cross-entropy.
struct ClassGradient {
  float slope = 0;
  float step = 0;
};
PROXYTUNE_VECTORISE void gradient_block(const ClassGradient* of_class,
                                        float cross,
                                        const std::uint8_t* labels,
                                        int count,
                                        int classes,
                                        const float* planes,
                                        float* gradient) {
  float mean[block] = {};
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < count; ++v) {
      const float q = of_class[c].slope + (labels[v] == c ? of_class[c].step : 0.0F);
      mean[v] += planes[c * block + v] * q;
    }
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < count; ++v) {
      const bool is = labels[v] == c;
      const float p = planes[c * block + v];
      const float q = of_class[c].slope + (is ? of_class[c].step : 0.0F);
      gradient[v * classes + c] = p * (q - mean[v]) + cross * (p - (is ? 1.0F : 0.0F));
    }
}

double cross_entropy_of_block(const float* logits,
                              const std::uint8_t* labels,
                              int count,
                              int classes,
                              const float* largest,
                              const float* sum) {
  double total = 0;
  for (int v = 0; v < count; ++v)
    total +=
        static_cast<double>(std::log(sum[v]) - (logits[v * classes + labels[v]] - largest[v]));
  return total;
}

template <class Visit>
void for_each_block(std::size_t voxels, const Visit& visit) {
  for (std::size_t start = 0; start < voxels; start += block)
    visit(start, static_cast<int>(std::min<std::size_t>(block, voxels - start)));
}

}  // namespace

double segmentation_loss(Loss kind,
                         const LossShape& shape,
                         std::span<const float> logits,
                         std::span<const std::uint8_t> labels,
                         std::span<float> gradient) {
  const std::size_t all = shape.batch * shape.voxels;
  const auto classes = static_cast<std::size_t>(shape.classes);
  if (logits.size() != all * classes || labels.size() != all ||
      gradient.size() != logits.size())
    throw std::invalid_argument("logits, labels and gradient do not fit the shape of the loss");
  const bool with_cross_entropy = kind == Loss::dice_ce;
  const float cross =
      with_cross_entropy ? static_cast<float>(1.0 / static_cast<double>(all)) : 0;
  const double terms = static_cast<double>(shape.batch * classes);
  std::vector<float> planes(classes * block);
  float largest[block];
  float sum[block];
  double dice = 0;
  double cross_entropy = 0;
  for (std::size_t n = 0; n < shape.batch; ++n) {
    const float* const x = logits.data() + n * shape.voxels * classes;
    const std::uint8_t* const g = labels.data() + n * shape.voxels;
    float* const dx = gradient.data() + n * shape.voxels * classes;
    std::vector<Sums> sums(classes);
    for_each_block(shape.voxels, [&](std::size_t v, int count) {
      softmax_block(x + v * classes, count, shape.classes, planes.data(), largest, sum);
      add_sums(planes.data(), g + v, count, shape.classes, sums.data());
      if (with_cross_entropy)
        cross_entropy +=
            cross_entropy_of_block(x + v * classes, g + v, count, shape.classes, largest, sum);
    });
    std::vector<ClassGradient> of_class(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      const double above = 2 * sums[c].intersection + smooth;
      const double below = sums[c].truth + sums[c].prediction + smooth;
      dice += 1 - above / below;
      of_class[c] = {static_cast<float>(above / (below * below) / terms),
                     static_cast<float>(-2 / below / terms)};
    }
    for_each_block(shape.voxels, [&](std::size_t v, int count) {
      softmax_block(x + v * classes, count, shape.classes, planes.data(), largest, sum);
      gradient_block(
          of_class.data(), cross, g + v, count, shape.classes, planes.data(), dx + v * classes);
    });
  }
  return dice / terms + (with_cross_entropy ? cross_entropy / static_cast<double>(all) : 0);
}

}  // namespace proxytune::training
