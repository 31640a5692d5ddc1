#include <algorithm>

#include "gpu_launch.h"
#include "gpu_measures.h"
#include "gpu_pairs.h"
#include "joint_sums.h"

namespace proxytune::similarity {
namespace {

/// More would leave a processor of the GPU with too few threads.
constexpr std::size_t largest_histograms = std::size_t{64} << 10U;
constexpr std::size_t largest_copies = 4;
/// Thread blocks that fill a GPU.
constexpr std::size_t enough_blocks = 1024;
constexpr std::size_t voxels_of_part = 8192;

/// The codes of each channel are in the GPU's memory, and no longer in `image`.
struct QuantisedImageOnGpu : PreparedImage {
  QuantisedImage image;
  std::vector<GpuArray<std::uint8_t>> codes;
  std::shared_ptr<const GpuStream> stream;
  std::size_t bytes() const override {
    std::size_t bytes = 0;
    for (const GpuArray<std::uint8_t>& channel : codes)
      bytes += channel.bytes();
    return bytes;
  }
};

std::vector<const QuantisedImageOnGpu*> all_of(Images rows, Images columns, int bins) {
  std::vector<const QuantisedImageOnGpu*> all;
  for (const Images images : {rows, columns})
    for (const PreparedImage* image : images) {
      all.push_back(&dynamic_cast<const QuantisedImageOnGpu&>(*image));
      check_comparable(all.front()->image, all.back()->image, bins);
      all.back()->stream->wait();
    }
  return all;
}

int copies_of(int bins, std::size_t shared_memory) {
  const std::size_t histogram = histogram_bytes(bins);
  if (histogram > shared_memory)
    return 0;
  const std::size_t fitting = std::min(largest_histograms, shared_memory) / histogram;
  return static_cast<int>(std::clamp<std::size_t>(fitting, 1, largest_copies));
}

int parts_of(std::size_t pairs, std::size_t voxels) {
  const std::size_t possible = std::max<std::size_t>(1, voxels / voxels_of_part);
  return static_cast<int>(std::clamp<std::size_t>(enough_blocks / pairs, 1, possible));
}

}  // namespace

MutualInformationOnGpu::MutualInformationOnGpu(
    int bins, bool miller_madow, bool normalised, InstructionSet set, std::shared_ptr<Gpu> gpu)
    : bins_(bins),
      miller_madow_(miller_madow),
      normalised_(normalised),
      set_(set),
      gpu_(std::move(gpu)) {
  for (auto& stream : streams_)
    stream = std::make_shared<GpuStream>(gpu_);
}

std::string MutualInformationOnGpu::identity() const {
  return MutualInformation(bins_, miller_madow_, normalised_, set_).identity();
}

std::unique_ptr<PreparedImage> MutualInformationOnGpu::prepare(
    const imaging::VolumeView& image) const {
  auto prepared = std::make_unique<QuantisedImageOnGpu>();
  prepared->image = quantise(image, bins_, set_);
  prepared->stream = streams_[0];
  for (QuantisedImage::Channel& channel : prepared->image.channels) {
    prepared->codes.emplace_back(streams_[0], std::span<const std::uint8_t>(channel.codes));
    channel.codes = {};
  }
  return prepared;
}

const double* MutualInformationOnGpu::logarithms_to(std::size_t voxels) {
  if (logarithms_.size() <= voxels) {
    std::vector<double> values(voxels + 1);
    for (std::size_t n = 0; n < values.size(); ++n)
      values[n] = times_logarithm(static_cast<double>(n));
    logarithms_ = GpuArray<double>(streams_[0], std::span<const double>(values));
  }
  return logarithms_.data();
}

std::vector<JointSums> MutualInformationOnGpu::joint_sums(
    const std::vector<const std::uint8_t*>& images,
    const std::vector<GpuPair>& pairs,
    std::size_t voxels) {
  const auto cells = static_cast<std::size_t>(bins_) * static_cast<std::size_t>(bins_);
  const std::size_t histogram = cells * sizeof(std::uint32_t);
  const GpuArray<const std::uint8_t*> table(streams_[0], std::span(images));
  const GpuArray<GpuPair> all(streams_[0], std::span(pairs));
  const GpuArray<JointSums> sums(streams_[0], pairs.size());
  const double* const logarithms = logarithms_to(voxels);
  streams_[0]->wait();
  in_pieces(pairs.size(), histogram, [&](std::size_t first, std::size_t count, int s) {
    GpuArray<std::uint32_t>& joint = joint_[s];
    if (joint.size() < count * cells)
      joint = GpuArray<std::uint32_t>(streams_[s], count * cells);
    joint.clear();
    streams_[s]->run(JointCountsJob{.images = table.data(),
                                    .pairs = all.data() + first,
                                    .pair_count = static_cast<int>(count),
                                    .voxels = voxels,
                                    .bins = bins_,
                                    .copies = copies_of(bins_, gpu_->shared_memory()),
                                    .parts = parts_of(count, voxels),
                                    .joint = joint.data()});
    streams_[s]->run(JointSumsJob{.joint = joint.data(),
                                  .pair_count = static_cast<int>(count),
                                  .bins = bins_,
                                  .logarithms = logarithms,
                                  .sums = sums.data() + first});
  });
  streams_[1]->wait();
  std::vector<JointSums> result(pairs.size());
  sums.download(result);
  streams_[0]->wait();
  return result;
}

void MutualInformationOnGpu::compare_all(Images rows,
                                         Images columns,
                                         Cells cells,
                                         std::span<double> values) {
  if (rows.empty() || columns.empty())
    return;
  const auto all = all_of(rows, columns, bins_);
  const std::vector<GpuPair> pairs = pairs_of(rows.size(), columns.size(), cells);
  const QuantisedImage& first = all.front()->image;
  std::vector<double> of_pairs(pairs.size(), 0.0);
  for (std::size_t c = 0; c < first.channels.size(); ++c) {
    std::vector<const std::uint8_t*> codes;
    for (const QuantisedImageOnGpu* image : all)
      codes.push_back(image->codes[c].data());
    const std::vector<JointSums> sums = joint_sums(codes, pairs, first.shape.voxels());
    for (std::size_t p = 0; p < pairs.size(); ++p)
      of_pairs[p] +=
          information(all[static_cast<std::size_t>(pairs[p].row)]->image.channels[c],
                      all[static_cast<std::size_t>(pairs[p].column)]->image.channels[c],
                      sums[p],
                      static_cast<double>(first.shape.voxels()),
                      miller_madow_,
                      normalised_);
  }
  for (double& value : of_pairs)
    value /= static_cast<double>(first.channels.size());
  put_values(pairs, of_pairs, rows.size(), columns.size(), cells, values);
}

}  // namespace proxytune::similarity
