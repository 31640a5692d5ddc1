#include "proxytune/training/patches.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::training {
namespace {

std::string text(const Triple& zyx) {
  return std::to_string(zyx[2]) + " x " + std::to_string(zyx[1]) + " x " +
         std::to_string(zyx[0]);
}

void check_shapes(const datasets::PreparedCase& prepared, const Triple& patch, int channels) {
  const imaging::Shape& shape = prepared.image.shape;
  if (prepared.label.shape != shape)
    throw core::DataError(
        "case " + prepared.id +
        " has an image and a label of different shapes. Preprocess it again.");
  if (prepared.image.channels != channels)
    throw core::DataError("case " + prepared.id + " has " +
                          std::to_string(prepared.image.channels) +
                          " channels, but other cases have " + std::to_string(channels) +
                          ". Choose channels that every case has.");
  if (shape.z < patch[0] || shape.y < patch[1] || shape.x < patch[2])
    throw core::DataError("case " + prepared.id + " has " + text({shape.z, shape.y, shape.x}) +
                          " voxels, less than the training patch of " + text(patch) +
                          ". Use a smaller patch, or pad in preprocessing.");
}

}  // namespace

PatchSampler::PatchSampler(const datasets::CaseSource& cases,
                           std::span<const int> indices,
                           const TrainingOptions& options,
                           const trials::HyperParameters& hyper_parameters,
                           int classes,
                           const core::RandomKey& trial)
    : options_(options),
      hyper_parameters_(hyper_parameters),
      patch_(reversed(options.patch)),
      trial_(trial) {
  for (const int index : indices)
    cases_.push_back(indexed(cases.at(index), classes));
  std::ranges::stable_sort(cases_, {}, [](const Case& one) { return one.prepared.key; });
}

PatchSampler::Case PatchSampler::indexed(datasets::PreparedCase prepared, int classes) const {
  check_shapes(prepared, patch_, cases_.empty() ? prepared.image.channels : channels());
  Case result{std::move(prepared), {}, 0};
  const std::span<const std::uint8_t> label = result.prepared.label.voxels;
  for (std::size_t voxel = 0; voxel < label.size(); ++voxel) {
    if (label[voxel] != 0) {
      if (label[voxel] >= classes)
        throw core::DataError("case " + result.prepared.id + " has the class " +
                              std::to_string(label[voxel]) + ", but the network has " +
                              std::to_string(classes) +
                              " classes with background. Map its labels.");
      result.foreground.push_back(static_cast<std::int32_t>(voxel));
    } else if (is_background(result, voxel)) {
      ++result.background;
    }
  }
  if (result.foreground.empty() && result.background == 0)
    throw core::DataError("case " + result.prepared.id +
                          " has neither labelled nor positive voxels to centre a patch on. "
                          "Leave it out, or set background to anywhere.");
  return result;
}

bool PatchSampler::is_background(const Case& of, std::size_t voxel) const {
  if (of.prepared.label.voxels[voxel] != 0)
    return false;
  if (options_.background == Background::anywhere)
    return true;
  for (int c = 0; c < of.prepared.image.channels; ++c)
    if (of.prepared.image.channel(c)[voxel] > 0)
      return true;
  return false;
}

std::vector<std::vector<int>> PatchSampler::steps(int epoch) const {
  core::Random random(trial_.with("order").with(static_cast<std::uint64_t>(epoch)));
  const std::vector<int> order = random.permutation(static_cast<int>(cases_.size()));
  std::vector<std::vector<int>> steps;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i % static_cast<std::size_t>(options_.cases_per_step) == 0)
      steps.emplace_back();
    steps.back().push_back(order[i]);
  }
  return steps;
}

core::RandomKey PatchSampler::key(const char* what, int epoch, const Case& of, int draw) const {
  return trial_.with(what)
      .with(static_cast<std::uint64_t>(epoch))
      .with(of.prepared.key)
      .with(static_cast<std::uint64_t>(draw));
}

std::size_t PatchSampler::centre(const Case& of, core::Random& random) const {
  bool labelled = random.uniform() < options_.foreground_ratio;
  if (of.foreground.empty())
    labelled = false;
  if (of.background == 0)
    labelled = true;
  if (labelled)
    return static_cast<std::size_t>(of.foreground[random.index(of.foreground.size())]);
  // Rejection: uniform among the voxels allowed, without a list as large as the image.
  for (;;) {
    const std::size_t voxel = random.index(of.prepared.label.voxels.size());
    if (is_background(of, voxel))
      return voxel;
  }
}

Box PatchSampler::box(int epoch, int position, int draw) const {
  const Case& of = cases_.at(static_cast<std::size_t>(position));
  core::Random random(key("patch", epoch, of, draw));
  const imaging::Shape& shape = of.prepared.label.shape;
  const int limits[3] = {shape.z, shape.y, shape.x};
  const auto voxel = static_cast<std::int64_t>(centre(of, random));
  const std::int64_t centres[3] = {
      voxel / shape.x / shape.y, voxel / shape.x % shape.y, voxel % shape.x};
  Box result{{}, patch_};
  for (std::size_t axis = 0; axis < 3; ++axis)
    result.start[axis] = std::clamp(
        static_cast<int>(centres[axis]) - patch_[axis] / 2, 0, limits[axis] - patch_[axis]);
  return result;
}

void PatchSampler::cut(int epoch,
                       int position,
                       int draw,
                       std::span<float> image,
                       std::span<std::uint8_t> label) const {
  const Case& of = cases_.at(static_cast<std::size_t>(position));
  const Box where = box(epoch, position, draw);
  core::Random random(key("shift", epoch, of, draw));
  double shift = 0;
  if (random.uniform() < hyper_parameters_.shift_probability)
    shift = random.uniform(-hyper_parameters_.shift_offset, hyper_parameters_.shift_offset);
  copy_box(of.prepared.image, where, static_cast<float>(shift), image);
  copy_box(of.prepared.label, where, label);
}

}  // namespace proxytune::training
