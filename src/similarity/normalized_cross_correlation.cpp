#include "proxytune/similarity/normalized_cross_correlation.h"

#include <algorithm>
#include <array>

#include "centre_image.h"
#include "pair_kernels.h"

namespace proxytune::similarity {
namespace {

/// What one plane of a band takes for all images and pairs of a group. Measured: groups that
/// overflow the second cache somewhat are faster than smaller ones that fetch more.
constexpr std::size_t cache_bytes = std::size_t{3} << 20U;
constexpr std::size_t largest_group = 8;

std::size_t extent(int value) {
  return static_cast<std::size_t>(value);
}

int rows_of_band(const WindowLayout& layout, int first_row) {
  return std::min(band_rows, layout.centres.y - first_row);
}

/// Values of a band that the sums along z take part in, of one plane.
std::size_t band_values(const WindowLayout& layout, int rows) {
  return extent(rows + layout.window - 1) * layout.stride;
}

/// Where a row's codes begin among CentredImage::Channel::pairs.
std::size_t code_at(const WindowLayout& layout, int z, int row) {
  return 2 * (extent(z) * layout.plane() + extent(row) * layout.stride);
}

const CentredImage& centred_image(const PreparedImage* image) {
  return dynamic_cast<const CentredImage&>(*image);
}

void check_comparable(Images rows, Images columns) {
  const CentredImage* first = nullptr;
  for (const Images images : {rows, columns})
    for (const PreparedImage* image : images) {
      const CentredImage& one = centred_image(image);
      if (first == nullptr)
        first = &one;
      if (!(one.layout == first->layout) || one.channels.size() != first->channels.size())
        refuse_unlike_images();
    }
}

/// What one call compares, and what it works with.
struct Comparison {
  Images rows;
  Images columns;
  Cells cells;
  FlatWindows flat;
  const PairKernels& kernels;
  std::vector<std::int32_t>& scratch;  // of each pair at hand: sums of products along z
  std::size_t edge;                    // rows and columns of a group
};

/// Some rows and columns of the matrix whose pairs go through the volumes plane by plane
/// together, so that they share what fetching a plane costs.
struct Group {
  std::vector<const CentredImage::Channel*> rows;
  std::vector<const CentredImage::Channel*> columns;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::vector<double> sums;  // of squared correlations, by pair
};

Group group_at(const Comparison& all,
               std::size_t row,
               std::size_t column,
               std::size_t channel) {
  const auto channels = [&](Images images, std::size_t begin) {
    std::vector<const CentredImage::Channel*> result;
    for (std::size_t i = begin; i < std::min(begin + all.edge, images.size()); ++i)
      result.push_back(&centred_image(images[i]).channels[channel]);
    return result;
  };
  Group group{channels(all.rows, row), channels(all.columns, column), {}, {}};
  for (std::size_t i = 0; i < group.rows.size(); ++i)
    for (std::size_t j = 0; j < group.columns.size(); ++j)
      if (all.cells == Cells::all || column + j >= row + i)
        group.pairs.emplace_back(i, j);
  group.sums.assign(group.pairs.size(), 0.0);
  return group;
}

void mirror(std::span<double> values, std::size_t edge) {
  for (std::size_t row = 0; row < edge; ++row)
    for (std::size_t column = 0; column < row; ++column)
      values[row * edge + column] = values[column * edge + row];
}

/// Bytes that the planes of a band take, of so many images, and what their pairs keep.
std::size_t bytes_at_once(const WindowLayout& layout, std::size_t images, std::size_t pairs) {
  const int rows = std::min(band_rows, layout.centres.y);
  const std::size_t values = band_values(layout, rows);
  return images * (4 * values + 8 * layout.row_at(0, rows)) + pairs * 4 * values;
}

std::size_t group_edge(const WindowLayout& layout) {
  std::size_t edge = largest_group;
  while (edge > 1 && bytes_at_once(layout, 2 * edge, edge * edge) > cache_bytes)
    --edge;
  return edge;
}

/// Adds one plane of a band to one pair's sums.
void correlate_plane(const CentredImage::Channel& one,
                     const CentredImage::Channel& other,
                     const WindowLayout& layout,
                     int row,
                     int z,
                     const PairKernels& kernels,
                     std::int32_t* columns,
                     std::vector<double>& scratch,
                     Coming& coming,
                     double& sum) {
  const int rows = rows_of_band(layout, row);
  const std::size_t from = code_at(layout, z, row);
  const PlaneProducts products{
      one.pairs.data() + from, other.pairs.data() + from, columns, band_values(layout, rows)};
  const int centre = z - layout.window + 1;
  if (centre < 0)
    return kernels.add_products(products);
  const std::size_t at = layout.row_at(centre, row);
  std::array<float, block_width> lanes{};
  kernels.add_correlations({products,
                            layout.stride,
                            extent(rows),
                            layout.blocks,
                            layout.window,
                            one.sums.data() + at,
                            other.sums.data() + at,
                            one.inverse_norms.data() + at,
                            other.inverse_norms.data() + at,
                            lanes.data(),
                            scratch.data(),
                            &coming});
  for (const float lane : lanes)
    sum += static_cast<double>(lane);
}

/// Appends what the pairs of a plane read of an image.
void append_plane(const CentredImage::Channel& channel,
                  const WindowLayout& layout,
                  int row,
                  int z,
                  std::vector<Coming::Stretch>& stretches) {
  const int rows = rows_of_band(layout, row);
  const auto append = [&](const auto* begin, std::size_t values) {
    stretches.push_back({reinterpret_cast<const char*>(begin),
                         (values * sizeof *begin + line_bytes - 1) / line_bytes});
  };
  append(channel.pairs.data() + code_at(layout, z, row), 2 * band_values(layout, rows));
  const int centre = z - layout.window + 1;
  if (centre < 0)
    return;
  const std::size_t values = layout.row_at(0, rows);
  append(channel.sums.data() + layout.row_at(centre, row), values);
  append(channel.inverse_norms.data() + layout.row_at(centre, row), values);
}

/// What memory delivers while a row is compared. Measured: a pair alone, which would ask for
/// 12, takes longer with them.
constexpr std::size_t most_lines_a_row = 4;

/// The plane behind the one at hand, where the cache has room for both and enough pairs share
/// it. Measured, 64^3: a pair takes a sixth less time.
class NextPlane {
 public:
  NextPlane(const Group& group, const WindowLayout& layout, int row)
      : group_(group),
        layout_(layout),
        row_(row),
        fits_(bytes_at_once(layout,
                            2 * (group.rows.size() + group.columns.size()),
                            group.pairs.size()) <= cache_bytes) {}

  /// Nothing behind the last.
  Coming behind(int z) {
    stretches_.clear();
    if (fits_ && z + 1 < layout_.padded.z)
      for (const auto* images : {&group_.columns, &group_.rows})
        for (const CentredImage::Channel* channel : *images)
          append_plane(*channel, layout_, row_, z + 1, stretches_);
    std::size_t lines = 0;
    for (const Coming::Stretch& stretch : stretches_)
      lines += stretch.lines;
    const std::size_t rows =
        group_.pairs.size() * extent(rows_of_band(layout_, row_) + layout_.window - 1);
    const std::size_t lines_a_row = lines / rows + 1;
    if (lines_a_row > most_lines_a_row)
      stretches_.clear();
    return {stretches_.data(), stretches_.data() + stretches_.size(), lines_a_row};
  }

 private:
  const Group& group_;
  const WindowLayout& layout_;
  int row_;
  bool fits_;
  std::vector<Coming::Stretch> stretches_;
};

void correlate_band(Group& group,
                    const WindowLayout& layout,
                    int row,
                    const PairKernels& kernels,
                    std::vector<std::int32_t>& columns) {
  const std::size_t values = band_values(layout, rows_of_band(layout, row));
  columns.assign(group.pairs.size() * values, 0);
  std::vector<double> scratch(rows_of_scratch * layout.stride);
  NextPlane next_plane(group, layout, row);
  for (int z = 0; z < layout.padded.z; ++z) {
    Coming coming = next_plane.behind(z);
    for (std::size_t p = 0; p < group.pairs.size(); ++p)
      correlate_plane(*group.rows[group.pairs[p].first],
                      *group.columns[group.pairs[p].second],
                      layout,
                      row,
                      z,
                      kernels,
                      columns.data() + p * values,
                      scratch,
                      coming,
                      group.sums[p]);
  }
}

std::size_t flat_windows(const CentredImage::Channel& one,
                         const CentredImage::Channel& other,
                         const WindowLayout& layout) {
  std::size_t flat = 0;
  for (std::size_t i = 0; i < one.inverse_norms.size(); ++i)
    flat += one.inverse_norms[i] == 0.0F || other.inverse_norms[i] == 0.0F ? 1U : 0U;
  const std::size_t tails = one.inverse_norms.size() - layout.centres.voxels();
  return flat - tails;
}

double mean_of(double sum,
               const CentredImage::Channel& one,
               const CentredImage::Channel& other,
               const WindowLayout& layout,
               FlatWindows flat) {
  const std::size_t windows = flat == FlatWindows::zero ? 0 : flat_windows(one, other, layout);
  return mean_correlation(sum, windows, layout, flat);
}

void compare_group(const Comparison& all,
                   std::size_t row,
                   std::size_t column,
                   std::span<double> values) {
  const CentredImage& first = centred_image(all.rows.front());
  const WindowLayout& layout = first.layout;
  for (std::size_t channel = 0; channel < first.channels.size(); ++channel) {
    Group group = group_at(all, row, column, channel);
    for (int band = 0; band < layout.centres.y; band += band_rows)
      correlate_band(group, layout, band, all.kernels, all.scratch);
    for (std::size_t p = 0; p < group.pairs.size(); ++p) {
      const auto [i, j] = group.pairs[p];
      values[(row + i) * all.columns.size() + column + j] +=
          mean_of(group.sums[p], *group.rows[i], *group.columns[j], layout, all.flat) /
          static_cast<double>(first.channels.size());
    }
  }
}

}  // namespace

NormalizedCrossCorrelation::NormalizedCrossCorrelation(int window,
                                                       FlatWindows flat_windows,
                                                       Border border,
                                                       InstructionSet set)
    : window_(window), flat_windows_(flat_windows), border_(border), set_(set) {}

std::unique_ptr<PreparedImage> NormalizedCrossCorrelation::prepare(
    const imaging::VolumeView& image) const {
  auto prepared = std::make_unique<CentredImage>();
  prepared->layout = window_layout(window_, border_, image.shape);
  const WindowLayout& layout = prepared->layout;
  const PairKernels& kernels = pair_kernels(set_);
  for (int c = 0; c < image.channels; ++c)
    prepared->channels.push_back(centred(image.channel(c), image.shape, layout, kernels));
  return prepared;
}

void NormalizedCrossCorrelation::compare_all(Images rows,
                                             Images columns,
                                             Cells cells,
                                             std::span<double> values) {
  std::fill(values.begin(), values.end(), 0.0);
  if (rows.empty() || columns.empty())
    return;
  check_comparable(rows, columns);
  const std::size_t edge = group_edge(centred_image(rows.front()).layout);
  const Comparison all{rows, columns, cells, flat_windows_, pair_kernels(set_), columns_, edge};
  for (std::size_t row = 0; row < rows.size(); row += edge)
    for (std::size_t column = cells == Cells::upper ? row : 0; column < columns.size();
         column += edge)
      compare_group(all, row, column, values);
  if (cells == Cells::upper)
    mirror(values, rows.size());
}

std::string NormalizedCrossCorrelation::identity() const {
  return "normalized_cross_correlation 3 window=" + std::to_string(window_) +
         " flat_windows=" + core::to_string(flat_windows_) +
         " border=" + core::to_string(border_);
}

}  // namespace proxytune::similarity
