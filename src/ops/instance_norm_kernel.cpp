#include "ops/instance_norm_kernel.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/bfloat16.h"
#include "ops/clones.h"

namespace proxytune::ops {
namespace {

constexpr int width = 32;
// Chunks whose sums are kept in the element's own type before they go on in double.
constexpr std::int64_t block = 128;

/// Equally long runs of `lanes` neighbouring elements, `step` apart. Lane j holds channel
/// j % channels of the run's group of channels.
struct Run {
  std::int64_t begin = 0;
  std::int64_t chunks = 0;
  std::int64_t step = 0;
  int lanes = 0;
  int channels = 0;
};

/// The elements of one sample that belong to up to `width` channels from `channel` on.
struct Group {
  std::int64_t channel = 0;
  std::array<Run, 2> runs;  // whole runs, then the shorter one that is left
};

Group group_at(const Planes& planes, std::int64_t channel) {
  Group group{channel, {}};
  if (planes.channels > width) {
    const int lanes =
        static_cast<int>(std::min<std::int64_t>(width, planes.channels - channel));
    group.runs[0] = {channel, planes.voxels, planes.channels, lanes, lanes};
    return group;
  }
  const int channels = static_cast<int>(planes.channels);
  const int lanes = width / channels * channels;
  const std::int64_t total = planes.voxels * channels;
  const std::int64_t chunks = total / lanes;
  const int rest = static_cast<int>(total % lanes);
  group.runs[0] = {0, chunks, lanes, lanes, channels};
  group.runs[1] = {chunks * lanes, rest > 0 ? 1 : 0, lanes, rest, channels};
  return group;
}

using Sums = std::array<double, width>;

template <class T>
struct Lanes {
  alignas(64) T at[width] = {};
};

template <class T>
PROXYTUNE_INLINE Lanes<T> spread(const T* of_channels, const Run& run) {
  Lanes<T> lanes;
  for (int j = 0; j < run.lanes; ++j)
    lanes.at[j] = of_channels[j % run.channels];
  return lanes;
}

template <class T>
PROXYTUNE_INLINE void fold(const Lanes<T>& lanes, const Run& run, Sums& sums) {
  for (int j = 0; j < run.lanes; ++j)
    sums[static_cast<std::size_t>(j % run.channels)] += static_cast<double>(lanes.at[j]);
}

/// Mean and sum of squared deviations, merged block by block (Chan et al. 1983): one read of
/// the memory, and no cancellation however far the mean is from zero.
struct Moments {
  double count = 0;
  Sums mean{};
  Sums squares{};
};

template <int Fixed, class Element>
PROXYTUNE_INLINE void add_block(const Element* block_begin,
                                std::int64_t chunks,
                                const Run& run,
                                Moments& moments) {
  using T = typename Computed<Element>::Type;
  const int lanes = Fixed > 0 ? Fixed : run.lanes;
  const std::int64_t values_of_each = lanes / run.channels;
  const double count = static_cast<double>(chunks * values_of_each);
  Lanes<T> sum;
  for (std::int64_t i = 0; i < chunks; ++i)
    for (int j = 0; j < lanes; ++j)
      sum.at[j] += value_of(block_begin[i * run.step + j]);
  Sums block_sum{};
  fold(sum, run, block_sum);
  T rounded_mean[width] = {};
  for (std::size_t c = 0; c < width; ++c)
    rounded_mean[c] = static_cast<T>(block_sum[c] / count);
  const Lanes<T> mean = spread(rounded_mean, run);
  Lanes<T> square;
  for (std::int64_t i = 0; i < chunks; ++i)
    for (int j = 0; j < lanes; ++j) {
      const T deviation = value_of(block_begin[i * run.step + j]) - mean.at[j];
      square.at[j] += deviation * deviation;
    }
  Sums block_squares{};
  fold(square, run, block_squares);
  const double total = moments.count + count;
  for (std::size_t c = 0; c < width; ++c) {
    const double exact = block_sum[c] / count;
    const double rounding = exact - static_cast<double>(rounded_mean[c]);
    const double delta = exact - moments.mean[c];
    moments.mean[c] += delta * count / total;
    moments.squares[c] += block_squares[c] - count * rounding * rounding +
                          delta * delta * moments.count * count / total;
  }
  moments.count = total;
}

template <class Element>
PROXYTUNE_INLINE Moments moments_of(const Element* sample, const Group& group) {
  Moments moments;
  for (const Run& run : group.runs)
    for (std::int64_t i = 0; i < run.chunks; i += block) {
      const Element* begin = sample + run.begin + i * run.step;
      const std::int64_t chunks = std::min(block, run.chunks - i);
      if (run.lanes == width)
        add_block<width>(begin, chunks, run, moments);
      else
        add_block<0>(begin, chunks, run, moments);
    }
  return moments;
}

/// What normalises the channels of one group: (x - mean) * scale, then the slope.
template <class T>
struct Normalisation {
  const T* mean;
  const T* scale;
  T slope;
};

template <int Fixed, class Element, class T>
PROXYTUNE_INLINE void write_output(const Normalisation<T>& by,
                                   const Run& run,
                                   const Element* __restrict input,
                                   const Element* __restrict residual,
                                   Element* __restrict output) {
  const int lanes = Fixed > 0 ? Fixed : run.lanes;
  const Lanes<T> mean = spread(by.mean, run);
  const Lanes<T> scale = spread(by.scale, run);
  for (std::int64_t i = 0; i < run.chunks; ++i) {
    const std::int64_t at = run.begin + i * run.step;
    Lanes<T> active;
    for (int j = 0; j < lanes; ++j) {
      const T normal = (value_of(input[at + j]) - mean.at[j]) * scale.at[j];
      const T sloped = by.slope * normal;
      active.at[j] = normal > 0 ? normal : sloped;
    }
    if (residual != nullptr)
      for (int j = 0; j < lanes; ++j)
        active.at[j] += value_of(residual[at + j]);
    for (int j = 0; j < lanes; ++j)
      set(output[at + j], active.at[j]);
  }
}

struct GradientSums {
  Sums plain{};     // of the gradient before the activation
  Sums weighted{};  // of the same times the normalised input
  double slope = 0;
};

template <int Fixed, class Element, class T>
PROXYTUNE_INLINE void add_gradients(const Normalisation<T>& by,
                                    const Run& run,
                                    const Element* gradient,
                                    const Element* input,
                                    GradientSums& sums) {
  const int lanes = Fixed > 0 ? Fixed : run.lanes;
  const Lanes<T> mean = spread(by.mean, run);
  const Lanes<T> scale = spread(by.scale, run);
  for (std::int64_t begin = 0; begin < run.chunks; begin += block) {
    Lanes<T> plain;
    Lanes<T> weighted;
    Lanes<T> of_slope;
    for (std::int64_t i = begin; i < std::min(begin + block, run.chunks); ++i) {
      const std::int64_t at = run.begin + i * run.step;
      for (int j = 0; j < lanes; ++j) {
        const T normal = (value_of(input[at + j]) - mean.at[j]) * scale.at[j];
        const T after = value_of(gradient[at + j]);
        const T sloped = by.slope * after;
        const T before = normal > 0 ? after : sloped;
        const T negative = normal > 0 ? T{0} : normal;
        plain.at[j] += before;
        weighted.at[j] += before * normal;
        of_slope.at[j] += after * negative;
      }
    }
    fold(plain, run, sums.plain);
    fold(weighted, run, sums.weighted);
    for (int j = 0; j < lanes; ++j)
      sums.slope += static_cast<double>(of_slope.at[j]);
  }
}

/// The means over the voxels that the norm's gradient subtracts.
template <class T>
struct MeanGradients {
  T plain[width];
  T weighted[width];
};

template <int Fixed, class Element, class T>
PROXYTUNE_INLINE void write_gradient(const Normalisation<T>& by,
                                     const MeanGradients<T>& means,
                                     const Run& run,
                                     const Element* __restrict gradient,
                                     const Element* __restrict input,
                                     Element* __restrict input_gradient) {
  const int lanes = Fixed > 0 ? Fixed : run.lanes;
  const Lanes<T> mean = spread(by.mean, run);
  const Lanes<T> scale = spread(by.scale, run);
  const Lanes<T> plain = spread(means.plain, run);
  const Lanes<T> weighted = spread(means.weighted, run);
  for (std::int64_t i = 0; i < run.chunks; ++i) {
    const std::int64_t at = run.begin + i * run.step;
    for (int j = 0; j < lanes; ++j) {
      const T normal = (value_of(input[at + j]) - mean.at[j]) * scale.at[j];
      const T after = value_of(gradient[at + j]);
      const T sloped = by.slope * after;
      const T before = normal > 0 ? after : sloped;
      set(input_gradient[at + j],
          scale.at[j] * (before - plain.at[j] - normal * weighted.at[j]));
    }
  }
}

template <class Element, class T>
PROXYTUNE_INLINE void forward(const Planes& planes,
                              const Element* input,
                              const Element* residual,
                              T slope,
                              double epsilon,
                              Element* output,
                              T* mean,
                              T* scale) {
  for (std::int64_t channel = 0; channel < planes.channels; channel += width) {
    const Group group = group_at(planes, channel);
    const Moments moments = moments_of(input, group);
    for (std::int64_t c = 0; c < group.runs[0].channels; ++c) {
      const auto at = static_cast<std::size_t>(c);
      mean[channel + c] = static_cast<T>(moments.mean[at]);
      const double variance = moments.squares[at] / moments.count;
      scale[channel + c] = static_cast<T>(1 / std::sqrt(variance + epsilon));
    }
    const Normalisation<T> by{mean + channel, scale + channel, slope};
    for (const Run& run : group.runs)
      if (run.lanes == width)
        write_output<width>(by, run, input, residual, output);
      else
        write_output<0>(by, run, input, residual, output);
  }
}

template <class Element, class T>
PROXYTUNE_INLINE double backward(const Planes& planes,
                                 const Element* gradient,
                                 const Element* input,
                                 const T* mean,
                                 const T* scale,
                                 T slope,
                                 Element* input_gradient) {
  double slope_gradient = 0;
  for (std::int64_t channel = 0; channel < planes.channels; channel += width) {
    const Group group = group_at(planes, channel);
    const Normalisation<T> by{mean + channel, scale + channel, slope};
    GradientSums sums;
    for (const Run& run : group.runs)
      if (run.lanes == width)
        add_gradients<width>(by, run, gradient, input, sums);
      else
        add_gradients<0>(by, run, gradient, input, sums);
    MeanGradients<T> means{};
    for (std::size_t c = 0; c < width; ++c) {
      means.plain[c] = static_cast<T>(sums.plain[c] / static_cast<double>(planes.voxels));
      means.weighted[c] = static_cast<T>(sums.weighted[c] / static_cast<double>(planes.voxels));
    }
    for (const Run& run : group.runs)
      if (run.lanes == width)
        write_gradient<width>(by, means, run, gradient, input, input_gradient);
      else
        write_gradient<0>(by, means, run, gradient, input, input_gradient);
    slope_gradient += sums.slope;
  }
  return slope_gradient;
}

}  // namespace

PROXYTUNE_CLONES
void instance_norm_prelu_forward(const Planes& planes,
                                 const float* input,
                                 const float* residual,
                                 float slope,
                                 double epsilon,
                                 float* output,
                                 float* mean,
                                 float* scale) {
  forward(planes, input, residual, slope, epsilon, output, mean, scale);
}

PROXYTUNE_CLONES
double instance_norm_prelu_backward(const Planes& planes,
                                    const float* output_gradient,
                                    const float* input,
                                    const float* mean,
                                    const float* scale,
                                    float slope,
                                    float* input_gradient) {
  return backward(planes, output_gradient, input, mean, scale, slope, input_gradient);
}

PROXYTUNE_CLONES
void instance_norm_prelu_forward(const Planes& planes,
                                 const double* input,
                                 const double* residual,
                                 double slope,
                                 double epsilon,
                                 double* output,
                                 double* mean,
                                 double* scale) {
  forward(planes, input, residual, slope, epsilon, output, mean, scale);
}

PROXYTUNE_CLONES
double instance_norm_prelu_backward(const Planes& planes,
                                    const double* output_gradient,
                                    const double* input,
                                    const double* mean,
                                    const double* scale,
                                    double slope,
                                    double* input_gradient) {
  return backward(planes, output_gradient, input, mean, scale, slope, input_gradient);
}

PROXYTUNE_CLONES
void instance_norm_prelu_forward(const Planes& planes,
                                 const Bfloat16* input,
                                 const Bfloat16* residual,
                                 float slope,
                                 double epsilon,
                                 Bfloat16* output,
                                 float* mean,
                                 float* scale) {
  forward(planes, input, residual, slope, epsilon, output, mean, scale);
}

PROXYTUNE_CLONES
double instance_norm_prelu_backward(const Planes& planes,
                                    const Bfloat16* output_gradient,
                                    const Bfloat16* input,
                                    const float* mean,
                                    const float* scale,
                                    float slope,
                                    Bfloat16* input_gradient) {
  return backward(planes, output_gradient, input, mean, scale, slope, input_gradient);
}

}  // namespace proxytune::ops
