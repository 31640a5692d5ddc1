#pragma once

#include <cstdint>
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

/// A convolution ready to be applied to samples of one shape; const use by several threads is
/// safe.
class ShiftedConvolution {
 public:
  /// weight: [out][in][27]; bias: [out] or null. `lattice` is the coarse grid. Into a fine grid
  /// there are at most most_outputs outputs.
  ShiftedConvolution(const ProductKernels& kernels,
                     Arithmetic arithmetic,
                     Relation relation,
                     const Lattice& lattice,
                     int inputs,
                     int outputs,
                     const float* weight,
                     const float* bias);

  void operator()(const Sample& input, const Target& output) const;

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
  struct Work;
  void add_piece(Piece piece, const float* weight, const float* bias);
  void run(const Piece& piece, const std::vector<const Plane*>& planes, Work& work) const;

  const ProductKernels& kernels_;
  Relation relation_;
  Lattice lattice_;
  RowLayout layout_;
  int outputs_;
  std::vector<Piece> pieces_;
};

/// Adds to sums[dense channel][shifted channel][tap] the products that the weight's gradient
/// consists of, over one sample: under Relation::same of shifted[p + k - 1] and dense[p], under
/// the other two of fine[2 i + k - 1] and coarse[i], the coarse one being dense.
void add_weight_gradient(const ProductKernels& kernels,
                         Arithmetic arithmetic,
                         Relation relation,
                         const Lattice& lattice,
                         const Sample& shifted,
                         const Sample& dense,
                         std::vector<double>& sums);

}  // namespace proxytune::ops
