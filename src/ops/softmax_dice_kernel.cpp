#include "ops/softmax_dice_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ops/softmax_dice_parts.h"

namespace proxytune::ops {
namespace {

constexpr int block = 256;  // voxels whose planes stay in the first-level cache
constexpr int lanes = 16;

/// [class][voxel]. `Classes` is their number where it is fixed, or 0: the planes are then apart
/// for the compiler, and their strides known.
template <int Classes, class T>
struct ClassPlanes {
  explicit ClassPlanes(int) {}
  alignas(64) T at[Classes * block];
};
template <class T>
struct ClassPlanes<0, T> {
  explicit ClassPlanes(int classes) : memory(static_cast<std::size_t>(classes) * block) {
    at = memory.data();
  }
  std::vector<T> memory;
  T* at;
};

/// The voxels of one block; those at and beyond `count` are 0.
template <int Classes, class T>
struct Block {
  explicit Block(int classes) : probability(classes) {}

  ClassPlanes<Classes, T> probability;
  alignas(64) T largest[block] = {};        // logit of a voxel
  alignas(64) T sum[block] = {};            // of its exponentials
  alignas(64) std::int32_t of[block] = {};  // its class
  int count = 0;
};

template <class T>
PROXYTUNE_INLINE double lane_sum(const T* values) {
  T sums[lanes] = {};
  for (int i = 0; i < block; i += lanes)
    for (int lane = 0; lane < lanes; ++lane)
      sums[lane] += values[i + lane];
  double sum = 0;
  for (const T part : sums)
    sum += static_cast<double>(part);
  return sum;
}

template <int Classes, class T>
PROXYTUNE_INLINE void probabilities(int any_classes, Block<Classes, T>& of) {
  const int classes = Classes > 0 ? Classes : any_classes;
  auto& planes = of.probability.at;
  for (int v = 0; v < block; ++v)
    of.largest[v] = planes[v];
  for (int c = 1; c < classes; ++c)
    for (int v = 0; v < block; ++v) {
      const T x = planes[c * block + v];
      of.largest[v] = x > of.largest[v] ? x : of.largest[v];
    }
  for (int v = 0; v < block; ++v)
    of.sum[v] = 0;
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < block; ++v) {
      const T e = exponential(planes[c * block + v] - of.largest[v]);
      planes[c * block + v] = e;
      of.sum[v] += e;
    }
  for (int c = 0; c < classes; ++c)
    for (int v = 0; v < block; ++v)
      planes[c * block + v] /= of.sum[v];
}

template <int Classes, class T>
PROXYTUNE_INLINE void softmax(const T* __restrict logits,
                              const std::uint8_t* labels,
                              int any_classes,
                              Block<Classes, T>& of) {
  const int classes = Classes > 0 ? Classes : any_classes;
  T* __restrict const planes = of.probability.at;
  for (int v = 0; v < of.count; ++v)
    for (int c = 0; c < classes; ++c)
      planes[c * block + v] = logits[v * classes + c];
  for (int c = 0; c < classes; ++c)
    for (int v = of.count; v < block; ++v)
      planes[c * block + v] = 0;
  for (int v = 0; v < of.count; ++v)
    of.of[v] = labels[v];
  for (int v = of.count; v < block; ++v)
    of.of[v] = -1;
  probabilities(classes, of);
  for (int c = 0; c < classes; ++c)
    for (int v = of.count; v < block; ++v)
      planes[c * block + v] = 0;
}

template <int Classes, class T>
PROXYTUNE_INLINE void add_sums(const Block<Classes, T>& of, int any_classes, DiceSums* sums) {
  const int classes = Classes > 0 ? Classes : any_classes;
  alignas(64) T chosen[block];
  for (int c = 0; c < classes; ++c) {
    const T* const p = of.probability.at + static_cast<std::ptrdiff_t>(c) * block;
    std::int32_t truth = 0;
    for (int v = 0; v < block; ++v) {
      chosen[v] = one_if<T>(of.of[v] == c) * p[v];
      truth += static_cast<std::int32_t>(of.of[v] == c);
    }
    sums[c].intersection += lane_sum(chosen);
    sums[c].prediction += lane_sum(p);
    sums[c].truth += truth;
  }
}

template <int Classes, class T>
double cross_entropy_of(const Block<Classes, T>& of, int classes, const T* logits) {
  double total = 0;
  for (int v = 0; v < of.count; ++v)
    total += static_cast<double>(std::log(of.sum[v]) -
                                 (logits[v * classes + of.of[v]] - of.largest[v]));
  return total;
}

/// Through the softmax. `cross` is the weight of (p - g), the gradient of the cross-entropy.
template <int Classes, class T>
PROXYTUNE_INLINE void write_gradient(const ClassGradient<T>* of_class,
                                     T cross,
                                     int any_classes,
                                     Block<Classes, T>& of,
                                     T* __restrict gradient) {
  const int classes = Classes > 0 ? Classes : any_classes;
  T* __restrict const planes = of.probability.at;
  const std::int32_t* __restrict const labels = of.of;
  alignas(64) T mean[block] = {};
  for (int c = 0; c < classes; ++c) {
    const auto [slope, step] = of_class[c];
    for (int v = 0; v < block; ++v)
      mean[v] += planes[c * block + v] * (slope + one_if<T>(labels[v] == c) * step);
  }
  for (int c = 0; c < classes; ++c) {
    const auto [slope, step] = of_class[c];
    for (int v = 0; v < block; ++v) {
      const T g = one_if<T>(labels[v] == c);
      const T p = planes[c * block + v];
      planes[c * block + v] = p * (slope + g * step - mean[v]) + cross * (p - g);
    }
  }
  for (int v = 0; v < of.count; ++v)
    for (int c = 0; c < classes; ++c)
      gradient[v * classes + c] = planes[c * block + v];
}

/// The sums of one patch; adds its voxels' cross-entropies where asked for.
template <int Classes, class T>
PROXYTUNE_INLINE double add_patch(const LossShape& shape,
                                  bool with_cross_entropy,
                                  const T* logits,
                                  const std::uint8_t* labels,
                                  Block<Classes, T>& of,
                                  DiceSums* sums) {
  double cross_entropy = 0;
  for (std::int64_t v = 0; v < shape.voxels; v += block) {
    of.count = static_cast<int>(std::min<std::int64_t>(block, shape.voxels - v));
    const T* const x = logits + v * shape.classes;
    softmax<Classes>(x, labels + v, shape.classes, of);
    add_sums(of, shape.classes, sums);
    if (with_cross_entropy)
      cross_entropy += cross_entropy_of(of, shape.classes, x);
  }
  return cross_entropy;
}

template <int Classes, class T>
PROXYTUNE_INLINE double loss(const LossShape& shape,
                             const SoftmaxDiceOptions& options,
                             const T* logits,
                             const std::uint8_t* labels,
                             T* gradient) {
  const double all = static_cast<double>(shape.batch * shape.voxels);
  const T cross = options.cross_entropy ? static_cast<T>(1 / all) : 0;
  Block<Classes, T> of(shape.classes);
  std::vector<ClassGradient<T>> of_class;
  double dice = 0;
  double cross_entropy = 0;
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    const T* const x = logits + n * shape.voxels * shape.classes;
    const std::uint8_t* const g = labels + n * shape.voxels;
    T* const dx = gradient + n * shape.voxels * shape.classes;
    std::vector<DiceSums> sums(static_cast<std::size_t>(shape.classes));
    cross_entropy += add_patch<Classes>(shape, options.cross_entropy, x, g, of, sums.data());
    dice += dice_of(options, sums, shape.batch, of_class);
    for (std::int64_t v = 0; v < shape.voxels; v += block) {
      of.count = static_cast<int>(std::min<std::int64_t>(block, shape.voxels - v));
      softmax<Classes>(x + v * shape.classes, g + v, shape.classes, of);
      write_gradient<Classes>(
          of_class.data(), cross, shape.classes, of, dx + v * shape.classes);
    }
  }
  return dice + cross_entropy / all;
}

}  // namespace

PROXYTUNE_CLONES
double softmax_dice(const LossShape& shape,
                    const SoftmaxDiceOptions& options,
                    const float* logits,
                    const std::uint8_t* labels,
                    float* gradient) {
  switch (shape.classes) {
    case 2:
      return softmax_dice_of_two(shape, options, logits, labels, gradient);
    case 3:
      return loss<3>(shape, options, logits, labels, gradient);
    case 4:
      return loss<4>(shape, options, logits, labels, gradient);
    default:
      return loss<0>(shape, options, logits, labels, gradient);
  }
}

PROXYTUNE_CLONES
double softmax_dice(const LossShape& shape,
                    const SoftmaxDiceOptions& options,
                    const double* logits,
                    const std::uint8_t* labels,
                    double* gradient) {
  return loss<0>(shape, options, logits, labels, gradient);
}

}  // namespace proxytune::ops
