#include <cuda_runtime.h>

#include "ops/instance_norm_cuda.h"

// Each sample is cut into slices of voxels; a block sums one slice for 32 channels, a second
// kernel merges the slices in their order, a third writes. Every sum so has one order, whatever
// the device.
namespace proxytune::ops::cuda {
namespace {

constexpr int columns = 32;  // channels of a block: threadIdx.x
constexpr int rows = 8;      // voxels at a time: threadIdx.y
constexpr std::int64_t slice_voxels = 4096;
constexpr int partials = 3;  // numbers that a slice leaves for each channel

std::int64_t slices(const Planes& planes) {
  return (planes.voxels + slice_voxels - 1) / slice_voxels;
}

dim3 block_shape() {
  return dim3(columns, rows);
}

dim3 slice_grid(std::int64_t samples, const Planes& planes) {
  return dim3(static_cast<unsigned>(slices(planes)),
              static_cast<unsigned>((planes.channels + columns - 1) / columns),
              static_cast<unsigned>(samples));
}

/// Where a thread of a slice's block works.
struct Place {
  std::int64_t channel, sample, first, end, base;
  bool valid;
};

__device__ Place place_of(const Planes& planes) {
  Place place;
  place.channel = std::int64_t{blockIdx.y} * columns + threadIdx.x;
  place.sample = blockIdx.z;
  place.first = std::int64_t{blockIdx.x} * slice_voxels;
  place.end = min(place.first + slice_voxels, planes.voxels);
  place.base = place.sample * planes.voxels * planes.channels + place.channel;
  place.valid = place.channel < planes.channels;
  return place;
}

__device__ std::int64_t partial_at(const Place& place, const Planes& planes) {
  return ((place.sample * gridDim.x + blockIdx.x) * planes.channels + place.channel) * partials;
}

/// Sum over the block's rows of one column, in row order; the result is valid in all of them.
__device__ float column_sum(float value) {
  __shared__ float shared[rows][columns];
  shared[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  float sum = 0;
  for (int row = 0; row < rows; ++row)
    sum += shared[row][threadIdx.x];
  __syncthreads();
  return sum;
}

__global__ void slice_moments(Planes planes, const float* input, float* workspace) {
  const Place place = place_of(planes);
  float sum = 0;
  if (place.valid)
    for (std::int64_t v = place.first + threadIdx.y; v < place.end; v += rows)
      sum += input[place.base + v * planes.channels];
  const float mean = column_sum(sum) / static_cast<float>(place.end - place.first);
  float square = 0;
  if (place.valid)
    for (std::int64_t v = place.first + threadIdx.y; v < place.end; v += rows) {
      const float deviation = input[place.base + v * planes.channels] - mean;
      square += deviation * deviation;
    }
  square = column_sum(square);
  if (!place.valid || threadIdx.y > 0)
    return;
  float* partial = workspace + partial_at(place, planes);
  partial[0] = mean;
  partial[1] = square;
}

__global__ void merge_moments(Planes planes,
                              std::int64_t pairs,
                              std::int64_t slice_count,
                              double epsilon,
                              const float* workspace,
                              float* mean_out,
                              float* scale_out) {
  const std::int64_t pair = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (pair >= pairs)
    return;
  const std::int64_t sample = pair / planes.channels;
  const std::int64_t channel = pair % planes.channels;
  double count = 0;
  double mean = 0;
  double squares = 0;
  for (std::int64_t s = 0; s < slice_count; ++s) {
    const float* partial =
        workspace + ((sample * slice_count + s) * planes.channels + channel) * partials;
    const double size =
        static_cast<double>(min(slice_voxels, planes.voxels - s * slice_voxels));
    const double total = count + size;
    const double delta = partial[0] - mean;
    mean += delta * size / total;
    squares += partial[1] + delta * delta * count * size / total;
    count = total;
  }
  mean_out[pair] = static_cast<float>(mean);
  scale_out[pair] = static_cast<float>(1 / sqrt(squares / count + epsilon));
}

__global__ void write_output(Planes planes,
                             const float* input,
                             const float* residual,
                             const float* slope,
                             const float* mean,
                             const float* scale,
                             float* output) {
  const Place place = place_of(planes);
  if (!place.valid)
    return;
  const float a = *slope;
  const float m = mean[place.sample * planes.channels + place.channel];
  const float k = scale[place.sample * planes.channels + place.channel];
  for (std::int64_t v = place.first + threadIdx.y; v < place.end; v += rows) {
    const std::int64_t at = place.base + v * planes.channels;
    const float normal = (input[at] - m) * k;
    const float active = normal > 0 ? normal : a * normal;
    output[at] = residual == nullptr ? active : active + residual[at];
  }
}

__global__ void slice_gradients(Planes planes,
                                const float* gradient,
                                const float* input,
                                const float* mean,
                                const float* scale,
                                const float* slope,
                                float* workspace) {
  const Place place = place_of(planes);
  float plain = 0;
  float weighted = 0;
  float of_slope = 0;
  if (place.valid) {
    const float a = *slope;
    const float m = mean[place.sample * planes.channels + place.channel];
    const float k = scale[place.sample * planes.channels + place.channel];
    for (std::int64_t v = place.first + threadIdx.y; v < place.end; v += rows) {
      const std::int64_t at = place.base + v * planes.channels;
      const float normal = (input[at] - m) * k;
      const float before = normal > 0 ? gradient[at] : a * gradient[at];
      plain += before;
      weighted += before * normal;
      of_slope += normal > 0 ? 0 : gradient[at] * normal;
    }
  }
  plain = column_sum(plain);
  weighted = column_sum(weighted);
  of_slope = column_sum(of_slope);
  if (!place.valid || threadIdx.y > 0)
    return;
  float* partial = workspace + partial_at(place, planes);
  partial[0] = plain;
  partial[1] = weighted;
  partial[2] = of_slope;
}

/// Adds the slices of each sample and channel up into the first one, as means over the voxels.
__global__ void merge_gradients(Planes planes,
                                std::int64_t pairs,
                                std::int64_t slice_count,
                                float* workspace) {
  const std::int64_t pair = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (pair >= pairs)
    return;
  const std::int64_t sample = pair / planes.channels;
  const std::int64_t channel = pair % planes.channels;
  double sums[partials] = {};
  const auto at = [&](std::int64_t s) {
    return workspace + ((sample * slice_count + s) * planes.channels + channel) * partials;
  };
  for (std::int64_t s = 0; s < slice_count; ++s)
    for (int i = 0; i < partials; ++i)
      sums[i] += at(s)[i];
  at(0)[0] = static_cast<float>(sums[0] / static_cast<double>(planes.voxels));
  at(0)[1] = static_cast<float>(sums[1] / static_cast<double>(planes.voxels));
  at(0)[2] = static_cast<float>(sums[2]);
}

__global__ void merge_slope(Planes planes,
                            std::int64_t samples,
                            std::int64_t slice_count,
                            const float* workspace,
                            float* slope_gradient) {
  double sum = 0;
  for (std::int64_t n = 0; n < samples; ++n)
    for (std::int64_t c = 0; c < planes.channels; ++c)
      sum += workspace[(n * slice_count * planes.channels + c) * partials + 2];
  *slope_gradient = static_cast<float>(sum);
}

__global__ void write_gradient(Planes planes,
                               const float* gradient,
                               const float* input,
                               const float* mean,
                               const float* scale,
                               const float* slope,
                               const float* workspace,
                               float* input_gradient) {
  const Place place = place_of(planes);
  if (!place.valid)
    return;
  const float a = *slope;
  const float m = mean[place.sample * planes.channels + place.channel];
  const float k = scale[place.sample * planes.channels + place.channel];
  const float* means =
      workspace + (place.sample * gridDim.x * planes.channels + place.channel) * partials;
  for (std::int64_t v = place.first + threadIdx.y; v < place.end; v += rows) {
    const std::int64_t at = place.base + v * planes.channels;
    const float normal = (input[at] - m) * k;
    const float before = normal > 0 ? gradient[at] : a * gradient[at];
    input_gradient[at] = k * (before - means[0] - normal * means[1]);
  }
}

constexpr unsigned merge_threads = 128;

unsigned merge_blocks(std::int64_t pairs) {
  return static_cast<unsigned>((pairs + merge_threads - 1) / merge_threads);
}

}  // namespace

std::int64_t workspace_size(std::int64_t samples, const Planes& planes) {
  return samples * slices(planes) * planes.channels * partials;
}

int instance_norm_prelu_forward(std::int64_t samples,
                                const Planes& planes,
                                const float* input,
                                const float* residual,
                                const float* slope,
                                double epsilon,
                                float* output,
                                float* mean,
                                float* scale,
                                float* workspace,
                                void* stream) {
  const auto on = static_cast<cudaStream_t>(stream);
  const dim3 grid = slice_grid(samples, planes);
  const std::int64_t pairs = samples * planes.channels;
  slice_moments<<<grid, block_shape(), 0, on>>>(planes, input, workspace);
  merge_moments<<<merge_blocks(pairs), merge_threads, 0, on>>>(
      planes, pairs, slices(planes), epsilon, workspace, mean, scale);
  write_output<<<grid, block_shape(), 0, on>>>(
      planes, input, residual, slope, mean, scale, output);
  return cudaGetLastError();
}

int instance_norm_prelu_backward(std::int64_t samples,
                                 const Planes& planes,
                                 const float* output_gradient,
                                 const float* input,
                                 const float* mean,
                                 const float* scale,
                                 const float* slope,
                                 float* input_gradient,
                                 float* slope_gradient,
                                 float* workspace,
                                 void* stream) {
  const auto on = static_cast<cudaStream_t>(stream);
  const dim3 grid = slice_grid(samples, planes);
  const std::int64_t pairs = samples * planes.channels;
  slice_gradients<<<grid, block_shape(), 0, on>>>(
      planes, output_gradient, input, mean, scale, slope, workspace);
  merge_gradients<<<merge_blocks(pairs), merge_threads, 0, on>>>(
      planes, pairs, slices(planes), workspace);
  merge_slope<<<1, 1, 0, on>>>(planes, samples, slices(planes), workspace, slope_gradient);
  write_gradient<<<grid, block_shape(), 0, on>>>(
      planes, output_gradient, input, mean, scale, slope, workspace, input_gradient);
  return cudaGetLastError();
}

}  // namespace proxytune::ops::cuda
