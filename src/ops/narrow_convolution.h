#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ops/planes.h"
#include "ops/shifted_products.h"

// Convolutions with 3^3 kernels and padding 1 as sums of shifted rows, for few channels on one
// side. No LibTorch here. Taps are numbered (z * 3 + y) * 3 + x.
namespace proxytune::ops {

/// Which grids a convolution goes between. Between a fine and a coarse one, tap k of coarse
/// position i is fine position 2 i + k - 1.
enum class Relation {
  same,            // out[p] = sum over k of weight[k] in[p + k - 1]
  fine_to_coarse,  // out[i] = sum over k of weight[k] in[2 i + k - 1]
  coarse_to_fine,  // out[2 i + k - 1] += weight[k] in[i]
};

/// Sums of one plane before they are written: of outputs from `first` on in rows of the
/// lattice's pitch, what lies between the rows being of no meaning. Of a fine grid, those of
/// one parity of z and y, all outputs at even x and then all at odd x.
struct PlaneOfSums {
  std::int64_t z = 0;  // the output's own
  int y_parity = 0;
  int first = 0;
  int rows = 0;
  float* sums = nullptr;  // [rows][pitch]
  std::int64_t pitch = 0;
};

/// What else is done while a sample is convolved; any may be empty.
struct Hooks {
  PlaneFilter on_read;  // of the input's planes
  std::function<void(const PlaneOfSums&)> on_sums;
  /// After each plane of the lattice, with its z and the window on the input.
  std::function<void(std::int64_t, PlaneWindow&)> after;
};

/// A convolution ready to be applied to samples of one shape; const use by several threads is
/// safe.
class ShiftedConvolution {
 public:
  /// weight: [out][in][27]; bias: [out] or null. Inputs and outputs may be joint samples'.
  /// `lattice` is the coarse grid. Into a fine grid there are at most most_outputs outputs.
  ShiftedConvolution(const ProductKernels& kernels,
                     Arithmetic arithmetic,
                     Relation relation,
                     const Lattice& lattice,
                     int inputs,
                     int outputs,
                     const float* weight,
                     const float* bias);

  void operator()(const Samples& input, const Targets& output, const Hooks& hooks = {}) const;

 private:
  struct Tap {
    int plane = 0;  // of those at hand for one plane of the output
    int row = 0;
    std::int64_t offset = 0;  // positions
    int kernel = 0;
  };
  /// What gives one group of outputs, at one parity of a fine output.
  struct Piece {
    int z_parity = 0, y_parity = 0, x_parity = 0;
    int first = 0;  // output
    int outputs = 0;
    std::vector<Tap> taps;
    std::vector<std::uint32_t> weights;
    std::vector<float> initial;
  };
  struct Work {
    std::unique_ptr<float[]> sums;  // [row][pitch]
    std::int64_t pitch = 0;
    std::vector<const std::byte*> sources;
    std::vector<std::uint32_t> scratch;
  };
  void add_piece(Piece piece, const float* weight, const float* bias);
  void write_rows(const Piece& piece,
                  const float* sums,
                  std::int64_t row,
                  const Targets& output,
                  Work& work) const;
  PlaneWindow window(const Samples& input, const PlaneFilter& on_read) const;
  Work workspace() const;
  void write_plane(std::int64_t z,
                   PlaneWindow& planes,
                   const Targets& output,
                   const Hooks& hooks,
                   Work& work) const;
  void add_products(const Piece& piece,
                    const std::vector<const Plane*>& planes,
                    Work& work) const;

  const ProductKernels& kernels_;
  Relation relation_;
  Lattice lattice_;
  RowLayout layout_;
  int outputs_;
  std::vector<Piece> pieces_;
};

/// The gradient of a weight, sums[dense channel][shifted channel][tap] of products over one
/// sample: under Relation::same of shifted[p + k - 1] and dense[p], under the other two of
/// fine[2 i + k - 1] and coarse[i], the coarse one being dense.
class WeightGradient {
 public:
  WeightGradient(const ProductKernels& kernels,
                 Arithmetic arithmetic,
                 Relation relation,
                 const Lattice& lattice,
                 int shifted_channels,
                 int dense_channels);

  /// The products of one plane of the lattice.
  void add(std::int64_t z, PlaneWindow& shifted, PlaneWindow& dense);

  /// What has been added so far.
  void add_to(std::vector<double>& sums) const;

 private:
  struct Block {
    int first = 0;  // dense channel
    int outputs = 0;
    std::vector<float> lanes;  // [tap][shifted channel][output][lane]
  };
  void add_block(Block& block, const Plane& dense);

  const ProductKernels& kernels_;
  Relation reading_;
  Lattice lattice_;
  RowLayout layout_;
  std::int64_t vectors_;
  std::vector<Block> blocks_;
  std::vector<const std::byte*> sources_;
};

/// Adds the weight's gradient over one sample.
void add_weight_gradient(const ProductKernels& kernels,
                         Arithmetic arithmetic,
                         Relation relation,
                         const Lattice& lattice,
                         const Samples& shifted,
                         const Samples& dense,
                         std::vector<double>& sums);

/// Changes what run_backward() reads and writes.
struct BackwardHooks {
  PlaneFilter make_input;  // in place of reading the input
  PlaneFilter on_gradient;
  std::function<void(const PlaneOfSums&)> on_input_gradient;
  /// With each plane of the gradient, on the fine side both.
  std::function<void(std::int64_t, PlaneWindow&)> with_gradient;
};

/// The same in float32, together with the gradient of the input, which `backward` makes of the
/// output's: each plane of that is parted once.
void run_backward(const ProductKernels& kernels,
                  Relation relation,
                  const Lattice& lattice,
                  const ShiftedConvolution& backward,
                  const Samples& input,
                  const Samples& gradient,
                  const Targets& input_gradient,
                  std::vector<double>& sums,
                  const BackwardHooks& hooks = {});

}  // namespace proxytune::ops
