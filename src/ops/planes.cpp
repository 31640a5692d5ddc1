#include "ops/planes.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "ops/rows.h"

namespace proxytune::ops {
namespace {

constexpr std::ptrdiff_t line = 64;

std::ptrdiff_t whole_lines(std::int64_t bytes) {
  return (bytes + line - 1) / line * line;
}

/// Channels of `count` voxels, with a zero after an odd number of them.
template <class From, class Convert>
void to_even(const From* from,
             std::int64_t count,
             int channels,
             std::uint16_t* to,
             const Convert& convert) {
  for (std::int64_t v = 0; v < count; ++v) {
    for (int c = 0; c < channels; ++c)
      *to++ = convert(*from++);
    *to++ = 0;
  }
}

}  // namespace

void Plane::Free::operator()(std::byte* memory) const {
  std::free(memory);
}

Plane::Plane(const Lattice& lattice, const RowLayout& layout) {
  const std::ptrdiff_t before = whole_lines((lattice.pitch() + 1) * layout.element());
  const std::ptrdiff_t after =
      (lattice.positions() + lattice.pitch() + 1) * layout.element() + line;
  row_bytes_ = before + whole_lines(after);
  const std::size_t bytes = static_cast<std::size_t>(row_bytes_ * layout.rows());
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(line, bytes)));
  if (!memory_)
    throw std::bad_alloc();
  std::memset(memory_.get(), 0, bytes);
  first_ = memory_.get() + before;
}

PlaneWindow::PlaneWindow(const ProductKernels& kernels,
                         const Lattice& lattice,
                         const RowLayout& layout,
                         const Samples& samples,
                         int kept,
                         PlaneSource source)
    : kernels_(kernels),
      lattice_(lattice),
      layout_(layout),
      samples_(samples),
      fine_(samples.fine()),
      row_voxels_((fine_ ? 2 : 1) * lattice.x),
      depth_((fine_ ? 2 : 1) * lattice.z),
      source_(std::move(source)),
      held_(static_cast<std::size_t>(kept), -1) {
  for (int i = 0; i < kept; ++i)
    ring_.emplace_back(lattice, layout);
  words_.resize(static_cast<std::size_t>(row_voxels_ * layout.groups()));
  if (layout.element() == 2)
    pairs_.resize(static_cast<std::size_t>(row_voxels_ * layout.groups()));
}

const Plane& PlaneWindow::at(std::int64_t z) {
  if (z < 0 || z >= depth_) {
    if (!zeros_)
      zeros_.emplace(lattice_, layout_);
    return *zeros_;
  }
  const auto slot = static_cast<std::size_t>(z) % ring_.size();
  if (held_[slot] != z) {
    fill(ring_[slot], z);
    held_[slot] = z;
  }
  return ring_[slot];
}

void PlaneWindow::fill(Plane& plane, std::int64_t z) {
  if (source_.make)
    return source_.make(plane, z);
  const std::int64_t rows = (fine_ ? 2 : 1) * lattice_.y;
  int first_row = 0;
  for (const Sample& part : samples_.parts) {
    const std::int64_t row_bytes = row_voxels_ * part.channels * part.element();
    const std::byte* voxels = part.data + z * rows * row_bytes;
    for (std::int64_t row = 0; row < rows; ++row, voxels += row_bytes)
      if (fine_)
        fill_rows(
            plane, part, layout_.first_row(static_cast<int>(row % 2), 0), row / 2, voxels);
      else
        fill_rows(plane, part, first_row, row, voxels);
    first_row += layout_.groups_of(part.channels);
  }
  if (source_.filter)
    source_.filter(plane, z);
}

/// A row of the lattice: one or two voxels a position, as if they were that many channels.
void PlaneWindow::fill_rows(
    Plane& plane, const Sample& part, int first_row, std::int64_t y, const std::byte* voxels) {
  const int groups = (fine_ ? 2 : 1) * layout_.groups_of(part.channels);
  const std::int64_t offset = y * lattice_.pitch() * layout_.element();
  std::byte* const to = plane.row(first_row) + offset;
  if (!layout_.pairs() && part.bfloat16 && groups % 2 == 0) {
    kernels_.part_pairs(reinterpret_cast<const std::uint32_t*>(voxels),
                        groups / 2,
                        lattice_.x,
                        groups / 2,
                        reinterpret_cast<std::uint32_t*>(to),
                        plane.row_bytes() / 4);
    return;
  }
  const std::uint32_t* const words = words_of(part, voxels);
  if (layout_.element() == 4) {
    kernels_.part_channels(words,
                           groups,
                           lattice_.x,
                           groups,
                           reinterpret_cast<std::uint32_t*>(to),
                           plane.row_bytes() / 4);
    return;
  }
  kernels_.part_channels(words, groups, lattice_.x, groups, pairs_.data(), lattice_.x);
  for (std::int64_t g = 0; g < groups; ++g)
    split_pairs(pairs_.data() + g * lattice_.x,
                lattice_.x,
                reinterpret_cast<std::uint16_t*>(to + (2 * g) * plane.row_bytes()),
                reinterpret_cast<std::uint16_t*>(to + (2 * g + 1) * plane.row_bytes()));
}

/// The row's words, [voxel][group].
const std::uint32_t* PlaneWindow::words_of(const Sample& part, const std::byte* voxels) {
  const std::int64_t count = row_voxels_ * part.channels;
  const auto* const halves = reinterpret_cast<const std::uint16_t*>(voxels);
  const auto* const floats = reinterpret_cast<const float*>(voxels);
  if (!layout_.pairs()) {
    if (!part.bfloat16)
      return reinterpret_cast<const std::uint32_t*>(voxels);
    widen(halves, count, reinterpret_cast<float*>(words_.data()));
    return words_.data();
  }
  auto* const to = reinterpret_cast<std::uint16_t*>(words_.data());
  if (part.channels % 2 == 0) {
    if (part.bfloat16)
      return reinterpret_cast<const std::uint32_t*>(voxels);
    narrow(floats, count, to);
  } else if (part.bfloat16) {
    to_even(halves, row_voxels_, part.channels, to, [](std::uint16_t half) { return half; });
  } else {
    to_even(floats, row_voxels_, part.channels, to, [](float value) {
      std::uint16_t half = 0;
      narrow(&value, 1, &half);
      return half;
    });
  }
  return words_.data();
}

void write_row(const ProductKernels& kernels,
               const float* sums,
               std::int64_t pitch,
               std::int64_t count,
               int outputs,
               int first,
               const Target& target,
               std::int64_t row,
               std::vector<std::uint32_t>& scratch) {
  const int channels = (target.fine ? 2 : 1) * target.channels;
  std::byte* const to = target.data + (row * count * channels + first) * target.element();
  if (!target.bfloat16) {
    kernels.join_channels(reinterpret_cast<const std::uint32_t*>(sums),
                          pitch,
                          count,
                          outputs,
                          reinterpret_cast<std::uint32_t*>(to),
                          channels);
    return;
  }
  if (channels % 2 != 0 || outputs % 2 != 0 || first % 2 != 0) {
    scratch.resize(static_cast<std::size_t>(count));
    for (int o = 0; o < outputs; ++o) {
      narrow_to_pairs(sums + o * pitch, nullptr, count, scratch.data());
      for (std::int64_t x = 0; x < count; ++x)
        reinterpret_cast<std::uint16_t*>(to)[x * channels + o] =
            static_cast<std::uint16_t>(scratch[static_cast<std::size_t>(x)]);
    }
    return;
  }
  kernels.join_pairs(reinterpret_cast<const std::uint32_t*>(sums),
                     pitch,
                     count,
                     outputs / 2,
                     reinterpret_cast<std::uint32_t*>(to),
                     channels / 2);
}

}  // namespace proxytune::ops
