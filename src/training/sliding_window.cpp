#include "proxytune/training/sliding_window.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace proxytune::training {
namespace {

std::vector<double> gaussian(int extent) {
  const double sigma = 0.125 * extent;
  std::vector<double> values;
  for (int i = 0; i < extent; ++i) {
    const double x = i - (extent - 1) / 2.0;
    values.push_back(std::exp(-x * x / (2 * sigma * sigma)));
  }
  return values;
}

/// All windows, first axis slowest, in the image's coordinates: the padding begins below 0.
std::vector<Box> window_boxes(const imaging::Shape& shape,
                              const Triple& window,
                              double overlap) {
  const Triple image{shape.z, shape.y, shape.x};
  std::array<std::vector<int>, 3> starts;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    starts[axis] = window_starts(image[axis], window[axis], overlap);
    const int front = std::max(0, window[axis] - image[axis]) / 2;
    for (int& start : starts[axis])
      start -= front;
  }
  std::vector<Box> boxes;
  for (const int z : starts[0])
    for (const int y : starts[1])
      for (const int x : starts[2])
        boxes.push_back({{z, y, x}, window});
  return boxes;
}

/// sums += weights * logits over the part of the box inside the image.
void accumulate(const imaging::Shape& shape,
                const Box& box,
                int classes,
                const std::vector<float>& weights,
                const float* logits,
                std::vector<float>& sums) {
  const int x_low = std::max(0, -box.start[2]);
  const int x_high = std::min(box.extents[2], shape.x - box.start[2]);
  for (int z = std::max(0, -box.start[0]); z < std::min(box.extents[0], shape.z - box.start[0]);
       ++z)
    for (int y = std::max(0, -box.start[1]);
         y < std::min(box.extents[1], shape.y - box.start[1]);
         ++y) {
      const auto in = (static_cast<std::size_t>(z) * static_cast<std::size_t>(box.extents[1]) +
                       static_cast<std::size_t>(y)) *
                      static_cast<std::size_t>(box.extents[2]);
      const auto out =
          (static_cast<std::size_t>(box.start[0] + z) * static_cast<std::size_t>(shape.y) +
           static_cast<std::size_t>(box.start[1] + y)) *
          static_cast<std::size_t>(shape.x);
      for (int x = x_low; x < x_high; ++x) {
        const std::size_t from = in + static_cast<std::size_t>(x);
        const std::size_t to = out + static_cast<std::size_t>(box.start[2] + x);
        for (std::size_t c = 0; c < static_cast<std::size_t>(classes); ++c)
          sums[to * static_cast<std::size_t>(classes) + c] +=
              weights[from] * logits[from * static_cast<std::size_t>(classes) + c];
      }
    }
}

imaging::LabelVolume largest(const imaging::Shape& shape,
                             int classes,
                             const std::vector<float>& sums) {
  imaging::LabelVolume label{shape, {}, std::vector<std::uint8_t>(shape.voxels())};
  for (std::size_t v = 0; v < label.voxels.size(); ++v) {
    const float* const of_voxel = sums.data() + v * static_cast<std::size_t>(classes);
    label.voxels[v] =
        static_cast<std::uint8_t>(std::max_element(of_voxel, of_voxel + classes) - of_voxel);
  }
  return label;
}

}  // namespace

std::vector<int> window_starts(int image, int window, double overlap) {
  const int padded = std::max(image, window);
  const int step =
      padded == window ? window : std::max(1, static_cast<int>(window * (1 - overlap)));
  std::vector<int> starts{0};
  while (starts.back() + window < padded)
    starts.push_back(std::min(starts.back() + step, padded - window));
  return starts;
}

std::vector<float> window_weights(const Triple& window, Blending blending) {
  std::vector<float> weights(voxels_of(window), 1.0F);
  if (blending == Blending::constant)
    return weights;
  const auto along_z = gaussian(window[0]);
  const auto along_y = gaussian(window[1]);
  const auto along_x = gaussian(window[2]);
  std::size_t i = 0;
  for (const double z : along_z)
    for (const double y : along_y)
      for (const double x : along_x)
        weights[i++] = static_cast<float>(z * y * x);
  const float least = std::max(*std::ranges::min_element(weights), 1e-3F);
  for (float& weight : weights)
    weight = std::max(weight, least);
  return weights;
}

imaging::LabelVolume sliding_window_inference(const imaging::VolumeView& image,
                                              int classes,
                                              const TrainingOptions& options,
                                              const WindowPredictor& predict) {
  const Triple window = reversed(options.window);
  const std::vector<Box> boxes = window_boxes(image.shape, window, options.overlap);
  const std::vector<float> weights = window_weights(window, options.blending);
  const std::size_t inputs = voxels_of(window) * static_cast<std::size_t>(image.channels);
  const std::size_t outputs = voxels_of(window) * static_cast<std::size_t>(classes);
  const auto at_once =
      std::min(static_cast<std::size_t>(options.windows_per_step), boxes.size());
  std::vector<float> batch(at_once * inputs);
  std::vector<float> sums(image.shape.voxels() * static_cast<std::size_t>(classes));
  for (std::size_t first = 0; first < boxes.size(); first += at_once) {
    const std::size_t count = std::min(at_once, boxes.size() - first);
    for (std::size_t i = 0; i < count; ++i)
      copy_box(image, boxes[first + i], 0, std::span(batch).subspan(i * inputs, inputs));
    const auto logits =
        predict(static_cast<int>(count), std::span(batch).first(count * inputs));
    if (logits.size() != count * outputs)
      throw std::logic_error("the network gave another number of logits than windows have");
    for (std::size_t i = 0; i < count; ++i)
      accumulate(
          image.shape, boxes[first + i], classes, weights, logits.data() + i * outputs, sums);
  }
  return largest(image.shape, classes, sums);
}

std::vector<double> dice_scores(std::span<const std::uint8_t> prediction,
                                std::span<const std::uint8_t> truth,
                                int classes) {
  if (prediction.size() != truth.size())
    throw std::invalid_argument("prediction and truth differ in their number of voxels");
  std::vector<std::int64_t> both(256);
  std::vector<std::int64_t> predicted(256);
  std::vector<std::int64_t> labelled(256);
  for (std::size_t v = 0; v < truth.size(); ++v) {
    ++predicted[prediction[v]];
    ++labelled[truth[v]];
    if (prediction[v] == truth[v])
      ++both[truth[v]];
  }
  std::vector<double> scores;
  for (std::size_t c = 1; c < static_cast<std::size_t>(classes); ++c)
    scores.push_back(labelled[c] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                      : 2.0 * static_cast<double>(both[c]) /
                                            static_cast<double>(predicted[c] + labelled[c]));
  return scores;
}

}  // namespace proxytune::training
