#include <algorithm>
#include <cstddef>
#include <memory>

#include "ops/softmax_dice_parts.h"

namespace proxytune::ops {
namespace {

constexpr int block = 256;  // voxels whose planes stay in the first-level cache
constexpr int lanes = 16;
constexpr int blocks_in_float = 16;  // whose sums are kept in float before they go on in double

struct Lanes {
  alignas(64) float at[lanes] = {};
};

PROXYTUNE_INLINE double fold(Lanes& of) {
  double sum = 0;
  for (float& lane : of.at) {
    sum += static_cast<double>(lane);
    lane = 0;
  }
  return sum;
}

/// What is left of a voxel for its gradient.
struct Voxels {
  Voxels(std::int64_t voxels, bool with_second)
      : product(new float[static_cast<std::size_t>(voxels)]),
        second(with_second ? new float[static_cast<std::size_t>(voxels)] : nullptr) {}
  std::unique_ptr<float[]> product;  // of its two probabilities, the derivative of either
  std::unique_ptr<float[]> second;   // probability of class 1; for the cross-entropy only
};

/// Logits and probabilities of a block of voxels; those beyond `count` are 0.
struct Block {
  alignas(64) float logits[2][block];
  alignas(64) float largest[block];
  alignas(64) float sum[block];  // of exponentials
  alignas(64) float probability[2][block];
  alignas(64) float product[block];
  alignas(64) std::int32_t label[block];
  int count = 0;
};

/// Logits of both classes, or the second one's less the first one's.
template <int Channels>
PROXYTUNE_INLINE void read(const float* __restrict logits,
                           const std::uint8_t* __restrict labels,
                           Block& of) {
  const auto take = [&](int count) PROXYTUNE_INLINE_LAMBDA {
    for (int v = 0; v < count; ++v) {
      of.logits[0][v] = Channels == 2 ? logits[Channels * v] : 0;
      of.logits[1][v] = logits[Channels * v + Channels - 1];
      of.label[v] = labels[v];
    }
  };
  if (of.count == block)
    return take(block);
  take(of.count);
  for (int v = of.count; v < block; ++v) {
    of.logits[0][v] = of.logits[1][v] = 0;
    of.label[v] = -1;
  }
}

PROXYTUNE_INLINE void find_probabilities(Block& of) {
  for (int v = 0; v < block; ++v) {
    const float a = of.logits[0][v];
    const float b = of.logits[1][v];
    const bool first_is_larger = a > b;
    const float largest = first_is_larger ? a : b;
    // Minus the difference; one of the two is nought, or not a number where a logit is
    // infinite.
    const float e = exponential((a - largest) + (b - largest));
    const float sum = 1.0F + e;
    const float large = 1.0F / sum;
    const float small = e * large;
    of.largest[v] = largest;
    of.sum[v] = sum;
    of.probability[0][v] = first_is_larger ? large : small;
    of.probability[1][v] = first_is_larger ? small : large;
    of.product[v] = large * small;
  }
  for (int v = of.count; v < block; ++v)
    of.probability[0][v] = of.probability[1][v] = 0;
}

struct PatchSums {
  Lanes prediction[2], intersection[2];
};

/// Adds up lane by lane; the sums are apart from the values for the compiler.
PROXYTUNE_INLINE void add(const float* __restrict values, Lanes& to) {
  float sums[lanes] = {};
  for (int v = 0; v < block; v += lanes)
    for (int lane = 0; lane < lanes; ++lane)
      sums[lane] += values[v + lane];
  for (int lane = 0; lane < lanes; ++lane)
    to.at[lane] += sums[lane];
}

PROXYTUNE_INLINE void add(const Block& of, PatchSums& sums, DiceSums* totals) {
  for (int c = 0; c < 2; ++c) {
    alignas(64) float chosen[block];
    std::int32_t truth = 0;
    for (int v = 0; v < block; ++v) {
      chosen[v] = one_if<float>(of.label[v] == c) * of.probability[c][v];
      truth += static_cast<std::int32_t>(of.label[v] == c);
    }
    totals[c].truth += truth;
    add(of.probability[c], sums.prediction[c]);
    add(chosen, sums.intersection[c]);
  }
}

PROXYTUNE_INLINE void fold(PatchSums& sums, DiceSums* totals) {
  for (int c = 0; c < 2; ++c) {
    totals[c].prediction += fold(sums.prediction[c]);
    totals[c].intersection += fold(sums.intersection[c]);
  }
}

double cross_entropy_of(const Block& of) {
  double total = 0;
  for (int v = 0; v < of.count; ++v)
    total +=
        static_cast<double>(std::log(of.sum[v]) - (of.logits[of.label[v]][v] - of.largest[v]));
  return total;
}

/// Returns the cross-entropies' sum where asked for.
template <int Channels>
PROXYTUNE_INLINE double add_patch(std::int64_t voxels,
                                  bool with_cross_entropy,
                                  const float* logits,
                                  const std::uint8_t* labels,
                                  Voxels& kept,
                                  DiceSums* totals) {
  Block of;
  PatchSums sums;
  double cross_entropy = 0;
  int since_fold = 0;
  for (std::int64_t first = 0; first < voxels; first += block) {
    of.count = static_cast<int>(std::min<std::int64_t>(block, voxels - first));
    read<Channels>(logits + Channels * first, labels + first, of);
    find_probabilities(of);
    add(of, sums, totals);
    std::copy_n(of.product, of.count, kept.product.get() + first);
    if (with_cross_entropy) {
      cross_entropy += cross_entropy_of(of);
      std::copy_n(of.probability[1], of.count, kept.second.get() + first);
    }
    if (++since_fold == blocks_in_float) {
      fold(sums, totals);
      since_fold = 0;
    }
  }
  fold(sums, totals);
  return cross_entropy;
}

/// The gradient of logit 0 is minus that of logit 1, which is that of their difference.
template <int Channels>
PROXYTUNE_INLINE void put(float value, std::int64_t v, float* __restrict gradient) {
  if constexpr (Channels == 2)
    gradient[2 * v] = -value;
  gradient[Channels * v + Channels - 1] = value;
}

template <int Channels>
PROXYTUNE_INLINE void write_gradient(std::int64_t voxels,
                                     const std::vector<ClassGradient<float>>& of_class,
                                     float cross,
                                     const std::uint8_t* __restrict labels,
                                     const Voxels& kept,
                                     float* __restrict gradient) {
  const float apart = of_class[1].slope - of_class[0].slope;
  const float for_first = apart - of_class[0].step;
  const float for_second = apart + of_class[1].step;
  const float* __restrict const product = kept.product.get();
  const float* __restrict const second = kept.second.get();
  if (cross == 0) {
    for (std::int64_t v = 0; v < voxels; ++v) {
      const float g = product[v] * (labels[v] == 1 ? for_second : for_first);
      put<Channels>(g, v, gradient);
    }
    return;
  }
  for (std::int64_t v = 0; v < voxels; ++v) {
    const bool is_second = labels[v] == 1;
    const float g = product[v] * (is_second ? for_second : for_first) +
                    cross * (second[v] - one_if<float>(is_second));
    put<Channels>(g, v, gradient);
  }
}

template <int Channels>
PROXYTUNE_INLINE double loss(const LossShape& shape,
                             const SoftmaxDiceOptions& options,
                             const float* logits,
                             const std::uint8_t* labels,
                             float* gradient) {
  const double all = static_cast<double>(shape.batch * shape.voxels);
  const float cross = options.cross_entropy ? static_cast<float>(1 / all) : 0;
  Voxels kept(shape.voxels, options.cross_entropy);
  std::vector<ClassGradient<float>> of_class;
  double dice = 0;
  double cross_entropy = 0;
  for (std::int64_t n = 0; n < shape.batch; ++n, labels += shape.voxels) {
    std::vector<DiceSums> sums(2);
    const std::int64_t at = Channels * n * shape.voxels;
    cross_entropy += add_patch<Channels>(
        shape.voxels, options.cross_entropy, logits + at, labels, kept, sums.data());
    dice += dice_of(options, sums, shape.batch, of_class);
    write_gradient<Channels>(shape.voxels, of_class, cross, labels, kept, gradient + at);
  }
  return dice + cross_entropy / all;
}

}  // namespace

PROXYTUNE_CLONES
double softmax_dice_of_two(const LossShape& shape,
                           const SoftmaxDiceOptions& options,
                           const float* logits,
                           const std::uint8_t* labels,
                           float* gradient) {
  return loss<2>(shape, options, logits, labels, gradient);
}

PROXYTUNE_CLONES
double softmax_dice_of_odds(const LossShape& shape,
                            const SoftmaxDiceOptions& options,
                            const float* odds,
                            const std::uint8_t* labels,
                            float* gradient) {
  return loss<1>(shape, options, odds, labels, gradient);
}

}  // namespace proxytune::ops
