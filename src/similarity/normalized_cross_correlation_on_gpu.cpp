#include <algorithm>

#include "centred_image.h"
#include "gpu_launch.h"
#include "gpu_measures.h"
#include "gpu_pairs.h"
#include "pair_kernels.h"
#include "proxytune/similarity/normalized_cross_correlation.h"

namespace proxytune::similarity {
namespace {

/// Warps that fill a GPU.
constexpr int enough_warps = 8192;

struct CentredImageOnGpu : PreparedImage {
  struct Channel {
    GpuArray<std::uint32_t> pairs;
    GpuArray<std::int32_t> sums;
    GpuArray<float> inverse_norms;
    CentredOnGpu view() const { return {pairs.data(), sums.data(), inverse_norms.data()}; }
  };
  WindowLayout layout;
  std::vector<Channel> channels;
  std::shared_ptr<const GpuStream> stream;
  std::size_t bytes() const override {
    std::size_t bytes = 0;
    for (const Channel& channel : channels)
      bytes += channel.pairs.bytes() + channel.sums.bytes() + channel.inverse_norms.bytes();
    return bytes;
  }
};

WindowGrid grid_of(const WindowLayout& layout) {
  const auto blocks = static_cast<int>(layout.blocks);
  return {.window = layout.window,
          .planes = layout.padded.z,
          .plane_rows = layout.padded.y,
          .stride = static_cast<int>(layout.stride),
          .centre_planes = layout.centres.z,
          .centre_rows = layout.centres.y,
          .centre_columns = layout.centres.x,
          .blocks = blocks,
          .bands = quotient_up(layout.centres.y, band_rows),
          .chunks = quotient_up(blocks * block_width, warp_size - layout.window + 1)};
}

/// Centre planes that a warp goes through: all, unless there are too few warps; to begin takes
/// as many planes as a window has.
int slab_of(const WindowGrid& grid, std::size_t pairs) {
  const std::size_t warps = pairs * static_cast<std::size_t>(grid.bands * grid.chunks);
  const int wanted = static_cast<int>(std::min<std::size_t>(enough_warps / warps, 1024));
  const int possible = grid.centre_planes / (2 * grid.window);
  return quotient_up(grid.centre_planes, std::max(1, std::min(wanted, possible)));
}

CentredImageOnGpu::Channel centred(const std::shared_ptr<const GpuStream>& stream,
                                   std::span<const float> values,
                                   const Rounding& rounding,
                                   const WindowLayout& layout,
                                   int radius) {
  const WindowGrid grid = grid_of(layout);
  const GpuArray<float> raw(stream, values);
  CentredImageOnGpu::Channel channel;
  channel.pairs = GpuArray<std::uint32_t>(
      stream, static_cast<std::size_t>(layout.padded.z) * layout.plane());
  channel.sums = GpuArray<std::int32_t>(stream, layout.row_at(layout.centres.z, 0));
  channel.inverse_norms = GpuArray<float>(stream, channel.sums.size());
  stream->run(RoundingJob{.grid = grid,
                          .radius = radius,
                          .values = raw.data(),
                          .middle = rounding.middle,
                          .scale = rounding.scale,
                          .outside = rounding.outside,
                          .pairs = channel.pairs.data()});
  stream->run(MomentsJob{.grid = grid,
                         .pairs = channel.pairs.data(),
                         .slab = slab_of(grid, 1),
                         .sums = channel.sums.data(),
                         .inverse_norms = channel.inverse_norms.data()});
  return channel;
}

std::vector<const CentredImageOnGpu*> all_of(Images rows, Images columns) {
  std::vector<const CentredImageOnGpu*> all;
  for (const Images images : {rows, columns})
    for (const PreparedImage* image : images) {
      all.push_back(&dynamic_cast<const CentredImageOnGpu&>(*image));
      if (!(all.back()->layout == all.front()->layout) ||
          all.back()->channels.size() != all.front()->channels.size())
        refuse_unlike_images();
      all.back()->stream->wait();
    }
  return all;
}

}  // namespace

NormalizedCrossCorrelationOnGpu::NormalizedCrossCorrelationOnGpu(int window,
                                                                 FlatWindows flat_windows,
                                                                 Border border,
                                                                 InstructionSet set,
                                                                 std::shared_ptr<Gpu> gpu)
    : window_(window),
      flat_windows_(flat_windows),
      border_(border),
      set_(set),
      gpu_(std::move(gpu)) {
  for (auto& stream : streams_)
    stream = std::make_shared<GpuStream>(gpu_);
}

std::string NormalizedCrossCorrelationOnGpu::identity() const {
  return NormalizedCrossCorrelation(window_, flat_windows_, border_, set_).identity();
}

std::unique_ptr<PreparedImage> NormalizedCrossCorrelationOnGpu::prepare(
    const imaging::VolumeView& image) const {
  auto prepared = std::make_unique<CentredImageOnGpu>();
  prepared->layout = window_layout(window_, border_, image.shape);
  prepared->stream = streams_[0];
  const int radius = (prepared->layout.padded.x - image.shape.x) / 2;
  for (int c = 0; c < image.channels; ++c)
    prepared->channels.push_back(
        centred(streams_[0],
                image.channel(c),
                rounding_of(image.channel(c), radius, window_, pair_kernels(set_)),
                prepared->layout,
                radius));
  return prepared;
}

NormalizedCrossCorrelationOnGpu::Sums NormalizedCrossCorrelationOnGpu::sums_of(
    const WindowGrid& grid,
    const std::vector<CentredOnGpu>& images,
    const std::vector<GpuPair>& pairs) {
  const GpuArray<CentredOnGpu> table(streams_[0], std::span(images));
  const GpuArray<GpuPair> all(streams_[0], std::span(pairs));
  const GpuArray<double> correlations(streams_[0], pairs.size());
  const GpuArray<std::uint32_t> flat(streams_[0], pairs.size());
  flat.clear();
  streams_[0]->wait();
  const std::size_t partials = partials_of(grid);
  in_pieces(
      pairs.size(), partials * sizeof(float), [&](std::size_t first, std::size_t count, int s) {
        if (partials_[s].size() < count * partials)
          partials_[s] = GpuArray<float>(streams_[s], count * partials);
        streams_[s]->run(CorrelationJob{
            .grid = grid,
            .images = table.data(),
            .pairs = all.data() + first,
            .pair_count = static_cast<int>(count),
            .slab = slab_of(grid, count),
            .partials = partials_[s].data(),
            .flat = flat_windows_ == FlatWindows::zero ? nullptr : flat.data() + first});
        streams_[s]->run(CorrelationSumsJob{.grid = grid,
                                            .partials = partials_[s].data(),
                                            .pair_count = static_cast<int>(count),
                                            .sums = correlations.data() + first});
      });
  streams_[1]->wait();
  Sums sums{std::vector<double>(pairs.size()), std::vector<std::uint32_t>(pairs.size())};
  correlations.download(sums.correlations);
  flat.download(sums.flat);
  streams_[0]->wait();
  return sums;
}

void NormalizedCrossCorrelationOnGpu::compare_all(Images rows,
                                                  Images columns,
                                                  Cells cells,
                                                  std::span<double> values) {
  if (rows.empty() || columns.empty())
    return;
  const auto all = all_of(rows, columns);
  const std::vector<GpuPair> pairs = pairs_of(rows.size(), columns.size(), cells);
  const WindowLayout& layout = all.front()->layout;
  const std::size_t channels = all.front()->channels.size();
  std::vector<double> of_pairs(pairs.size(), 0.0);
  for (std::size_t c = 0; c < channels; ++c) {
    std::vector<CentredOnGpu> images;
    for (const CentredImageOnGpu* image : all)
      images.push_back(image->channels[c].view());
    const Sums sums = sums_of(grid_of(layout), images, pairs);
    for (std::size_t p = 0; p < pairs.size(); ++p)
      of_pairs[p] +=
          mean_correlation(sums.correlations[p], sums.flat[p], layout, flat_windows_) /
          static_cast<double>(channels);
  }
  put_values(pairs, of_pairs, rows.size(), columns.size(), cells, values);
}

}  // namespace proxytune::similarity
