#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ops/shifted_products.h"

// PlaneWindow of a channels-last image, channel by channel, as the loops of shifted_products.h
// read them: flat rows with zeros around, so that a tap is an offset. No LibTorch here.
namespace proxytune::ops {

/// The grid that positions of a row count in. A plane's y rows lie one after the other, each
/// followed by one zero, which is the edge of both its neighbours.
struct Lattice {
  std::int64_t z = 0;
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t pitch() const { return x + 1; }
  std::int64_t positions() const { return y * pitch(); }
};

enum class Arithmetic { float32, bfloat16 };

/// What a row's elements are: words (of Products) or single values (of Dots). In float32 the
/// two are the same.
enum class Form { words, values };

/// One sample of a dense channels-last tensor, (z, y, x, channel), float32 or bfloat16. On the
/// fine side of a stride it has 2 z, 2 y and 2 x voxels for the lattice's z, y and x.
template <class Pointer>
struct SampleOf {
  Pointer data = nullptr;
  bool bfloat16 = false;
  bool fine = false;
  int channels = 0;
  std::int64_t element() const { return bfloat16 ? 2 : 4; }
};
using Sample = SampleOf<const std::byte*>;
using Target = SampleOf<std::byte*>;

/// Samples of one grid whose channels follow one another as if they were one sample's. More
/// than one are for float32 arithmetic on the coarse side.
template <class Part>
struct JointOf {
  std::vector<Part> parts;
  JointOf(Part one) : parts{one} {}
  explicit JointOf(std::vector<Part> all) : parts(std::move(all)) {}
  bool fine() const { return parts.front().fine; }
  int channels() const {
    int sum = 0;
    for (const Part& part : parts)
      sum += part.channels;
    return sum;
  }
};
using Samples = JointOf<Sample>;
using Targets = JointOf<Target>;

/// Where the rows of a sample's channels are. On the fine side a plane has all rows once for
/// each parity of y and x.
struct RowLayout {
  Arithmetic arithmetic = Arithmetic::float32;
  Form form = Form::words;
  int channels = 0;
  bool fine = false;

  bool pairs() const { return arithmetic == Arithmetic::bfloat16; }
  /// Rows of one voxel of a position: channels; or, in bfloat16, pairs of them.
  int groups() const { return groups_of(channels); }
  int groups_of(int of_channels) const { return pairs() ? (of_channels + 1) / 2 : of_channels; }
  int rows_of_voxel() const {
    return pairs() && form == Form::values ? 2 * groups() : groups();
  }
  int rows() const { return (fine ? 4 : 1) * rows_of_voxel(); }
  int element() const { return pairs() && form == Form::values ? 2 : 4; }
  int first_row(int y_parity, int x_parity) const {
    return (2 * y_parity + x_parity) * rows_of_voxel();
  }
};

/// One plane's rows.
class Plane {
 public:
  Plane(const Lattice& lattice, const RowLayout& layout);
  /// The first position of a row; pitch() + 1 zeros before it can be read, and as many, and a
  /// vector, after the last one.
  std::byte* row(int index) { return first_ + index * row_bytes_; }
  const std::byte* row(int index) const { return first_ + index * row_bytes_; }
  std::ptrdiff_t row_bytes() const { return row_bytes_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::ptrdiff_t row_bytes_ = 0;
  std::unique_ptr<std::byte[], Free> memory_;
  std::byte* first_ = nullptr;
};

/// Changes a plane's rows when they have been made of the sample's plane z. What lies around
/// them must stay zero.
using PlaneFilter = std::function<void(Plane& plane, std::int64_t z)>;

/// What a window's planes are: the sample's, changed by `filter` where there is one; or what
/// `make` writes, all of it but the zeros around, where someone has the sample's rows already.
struct PlaneSource {
  PlaneFilter filter;
  PlaneFilter make;
};

/// The planes of a sample, or of several joint ones, each made when it is first asked for and
/// kept until `kept` others were.
class PlaneWindow {
 public:
  PlaneWindow(const ProductKernels& kernels,
              const Lattice& lattice,
              const RowLayout& layout,
              const Samples& samples,
              int kept,
              PlaneSource source = {});
  /// A plane of the sample's own z (2 z of them on the fine side); zeros outside.
  const Plane& at(std::int64_t z);
  const RowLayout& layout() const { return layout_; }

 private:
  void fill(Plane& plane, std::int64_t z);
  void fill_rows(
      Plane& plane, const Sample& part, int first_row, std::int64_t y, const std::byte* voxels);
  const std::uint32_t* words_of(const Sample& part, const std::byte* voxels);

  const ProductKernels& kernels_;
  Lattice lattice_;
  RowLayout layout_;
  Samples samples_;
  bool fine_;
  std::int64_t row_voxels_;
  std::int64_t depth_;
  PlaneSource source_;
  std::optional<Plane> zeros_;
  std::vector<Plane> ring_;
  std::vector<std::int64_t> held_;
  std::vector<std::uint32_t> words_;  // of a row of voxels, where the sample's own do not serve
  std::vector<std::uint32_t> pairs_;  // of a row, on the way to values
};

/// Writes rows of sums ([outputs][pitch], the first position of one row of the lattice) as the
/// channels `first` on of one row of the target; on the fine side as all channels of both
/// voxels of each position. `scratch` is grown as needed.
void write_row(const ProductKernels& kernels,
               const float* sums,
               std::int64_t pitch,
               std::int64_t count,
               int outputs,
               int first,
               const Target& target,
               std::int64_t row,
               std::vector<std::uint32_t>& scratch);

}  // namespace proxytune::ops
