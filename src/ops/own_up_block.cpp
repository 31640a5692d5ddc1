#include "ops/own_up_block.h"

#include <cmath>

#include "ops/norm_rows.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

/// The two convolutions of a block.
struct Both {
  Own up;    // on the coarse lattice
  Own same;  // on the fine one

  Both(const Tensor& input, const Tensor& raw)
      : up(Arithmetic::float32, input, 2, true), same(Arithmetic::float32, raw, 1, false) {}
};

RowExtents rows_of(const Lattice& lattice) {
  return {lattice.y, lattice.x, lattice.pitch()};
}

float* floats(std::byte* row) {
  return reinterpret_cast<float*>(row);
}
const float* floats(const std::byte* row) {
  return reinterpret_cast<const float*>(row);
}

std::vector<ChannelNorm> norms_of(const UpBlockState& state,
                                  const Tensor& slope,
                                  std::int64_t n) {
  const std::int64_t channels = state.mean.size(1);
  std::vector<ChannelNorm> norms;
  for (std::int64_t c = n * channels; c < (n + 1) * channels; ++c)
    norms.push_back({state.mean.const_data_ptr<float>()[c],
                     state.scale.const_data_ptr<float>()[c],
                     *slope.const_data_ptr<float>()});
  return norms;
}

void activate(const Lattice& lattice,
              const std::vector<ChannelNorm>& norms,
              const Plane& from,
              Plane& to) {
  for (std::size_t c = 0; c < norms.size(); ++c) {
    const int row = static_cast<int>(c);
    activate(rows_of(lattice), norms[c], floats(from.row(row)), floats(to.row(row)));
  }
}

/// Convolves up, with the moments of what comes out.
std::vector<ChannelMoments> expand(const Own& own,
                                   const ShiftedConvolution& convolve,
                                   const Samples& input,
                                   const Target& raw) {
  std::vector<ChannelMoments> moments(static_cast<std::size_t>(raw.channels));
  const RowExtents extents = rows_of(own.lattice);
  const auto add = [&](const PlaneOfSums& plane) {
    for (int row = 0; row < plane.rows; ++row)
      add_moments(extents,
                  plane.sums + row * plane.pitch,
                  moments[static_cast<std::size_t>(row) % moments.size()]);
  };
  convolve(input, raw, {.on_read = {}, .on_sums = add, .after = {}});
  return moments;
}

/// One sample's way back.
class Backward {
 public:
  Backward(const Both& own, const Sample& raw, const std::vector<ChannelNorm>& norms)
      : own_(own), raw_(raw), norms_(norms), sums_(norms.size()) {}

  /// From the output's gradient to that before the activation, with the sums of the norm, of
  /// the weight and of the bias.
  void through_same(const ShiftedConvolution& convolve,
                    const Sample& gradient,
                    const Target& before,
                    std::vector<double>& of_weight,
                    std::vector<double>& of_bias);

  /// And on to the input's.
  void through_up(const ShiftedConvolution& convolve,
                  const Samples& input,
                  const Sample& before,
                  const Targets& input_gradient,
                  std::vector<double>& of_up);

  double slope() const {
    double sum = 0;
    for (const ChannelGradient& channel : sums_)
      sum += channel.slope;
    return sum;
  }

 private:
  PlaneWindow window(const Lattice& lattice, bool fine, int kept) const {
    Sample raw = raw_;
    raw.fine = fine;
    const RowLayout layout{Arithmetic::float32, Form::words, raw.channels, fine};
    return {*float_kernels(), lattice, layout, raw, kept};
  }

  const Both& own_;
  Sample raw_;
  const std::vector<ChannelNorm>& norms_;
  std::vector<ChannelGradient> sums_;
};

void Backward::through_same(const ShiftedConvolution& convolve,
                            const Sample& gradient,
                            const Target& before,
                            std::vector<double>& of_weight,
                            std::vector<double>& of_bias) {
  const Lattice& lattice = own_.same.lattice;
  const RowExtents extents = rows_of(lattice);
  // Two, since the activation is a plane ahead of the gradient.
  PlaneWindow raws = window(lattice, false, 2);
  const auto make_active = [&](Plane& plane, std::int64_t z) {
    activate(lattice, norms_, raws.at(z), plane);
  };
  const auto pass = [&](const PlaneOfSums& plane) {
    const Plane& raw = raws.at(plane.z);
    for (int row = 0; row < plane.rows; ++row) {
      const int channel = plane.first + row;
      const auto c = static_cast<std::size_t>(channel);
      float* const gradients = plane.sums + row * plane.pitch;
      pass_activation(extents, norms_[c], floats(raw.row(channel)), gradients, sums_[c]);
    }
  };
  const auto add_bias = [&](std::int64_t z, PlaneWindow& gradients) {
    const Plane& plane = gradients.at(z);
    for (std::size_t o = 0; o < of_bias.size(); ++o)
      of_bias[o] += sum_of(extents, floats(plane.row(static_cast<int>(o))));
  };
  run_backward(*float_kernels(),
               own_.same.forward,
               lattice,
               convolve,
               raw_,
               gradient,
               before,
               of_weight,
               {make_active, {}, pass, add_bias});
}

void Backward::through_up(const ShiftedConvolution& convolve,
                          const Samples& input,
                          const Sample& before,
                          const Targets& input_gradient,
                          std::vector<double>& of_up) {
  const Lattice& lattice = own_.up.lattice;
  const Lattice& fine = own_.same.lattice;
  const RowExtents extents = rows_of(lattice);
  const auto voxels = static_cast<double>(fine.z * fine.y * fine.x);
  PlaneWindow raws = window(lattice, true, 1);
  const auto pass = [&](Plane& plane, std::int64_t z) {
    const Plane& raw = raws.at(z);
    for (int row = 0; row < raws.layout().rows(); ++row) {
      const std::size_t c = static_cast<std::size_t>(row) % norms_.size();
      pass_norm(extents,
                norms_[c],
                static_cast<float>(sums_[c].plain / voxels),
                static_cast<float>(sums_[c].weighted / voxels),
                floats(raw.row(row)),
                floats(plane.row(row)));
    }
  };
  run_backward(*float_kernels(),
               own_.up.forward,
               lattice,
               convolve,
               input,
               before,
               input_gradient,
               of_up,
               {{}, pass, {}, {}});
}

std::vector<double> nothing(const Tensor& like) {
  return std::vector<double>(static_cast<std::size_t>(like.numel()));
}

}  // namespace

UpBlockOutput up_block_forward(const std::vector<Tensor>& inputs,
                               const UpBlock& block,
                               torch::ScalarType output_type,
                               double epsilon) {
  UpBlockOutput result;
  const Tensor& input = inputs.front();
  std::vector<std::int64_t> sizes = output_sizes(input, block.up, 2, true);
  Tensor& raw = result.state.raw = empty_channels_last(sizes, input.scalar_type());
  sizes[1] = block.weight.size(0);
  result.output = empty_channels_last(sizes, output_type);
  Tensor& mean = result.state.mean = torch::empty({raw.size(0), raw.size(1)}, torch::kFloat32);
  Tensor& scale = result.state.scale = torch::empty_like(mean);
  const Both own(input, raw);
  const ShiftedConvolution up =
      shifted_convolution(own.up, own.up.forward, block.up.transpose(0, 1), std::nullopt);
  const ShiftedConvolution same =
      shifted_convolution(own.same, own.same.forward, block.weight, block.bias);
  for_each_sample(input, [&](std::int64_t n) {
    const std::vector<ChannelMoments> moments =
        expand(own.up, up, sample_of(inputs, n, false), target_of(raw, n, true));
    std::int64_t at = n * raw.size(1);
    for (const ChannelMoments& of : moments) {
      mean.mutable_data_ptr<float>()[at] = static_cast<float>(of.mean);
      scale.mutable_data_ptr<float>()[at++] =
          static_cast<float>(1 / std::sqrt(of.squares / of.count + epsilon));
    }
    const std::vector<ChannelNorm> norms = norms_of(result.state, block.slope, n);
    same(sample_of(raw, n, false),
         target_of(result.output, n, false),
         {.on_read = [&](Plane& plane,
                         std::int64_t) { activate(own.same.lattice, norms, plane, plane); },
          .on_sums = {},
          .after = {}});
  });
  return result;
}

UpBlockGradients up_block_backward(const Tensor& gradient,
                                   const std::vector<Tensor>& inputs,
                                   const UpBlock& block,
                                   const UpBlockState& state) {
  const Tensor& input = inputs.front();
  const Both own(input, state.raw);
  const ShiftedConvolution same = backward_convolution(own.same, block.weight);
  const ShiftedConvolution up = backward_convolution(own.up, block.up);
  const Tensor before = empty_channels_last(state.raw.sizes(), state.raw.scalar_type());
  std::vector<Tensor> of_inputs;
  for (const Tensor& part : inputs)
    of_inputs.push_back(empty_channels_last(part.sizes(), part.scalar_type()));
  const auto batch = static_cast<std::size_t>(input.size(0));
  SumsOfSamples of_up(batch, nothing(block.up));
  SumsOfSamples of_slope(batch, nothing(block.slope));
  SumsOfSamples of_weight(batch, nothing(block.weight));
  SumsOfSamples of_bias(batch, nothing(block.bias));
  for_each_sample(input, [&](std::int64_t n) {
    const auto at = static_cast<std::size_t>(n);
    const std::vector<ChannelNorm> norms = norms_of(state, block.slope, n);
    Backward backward(own, sample_of(state.raw, n, false), norms);
    backward.through_same(same,
                          sample_of(gradient, n, false),
                          target_of(before, n, false),
                          of_weight[at],
                          of_bias[at]);
    backward.through_up(up,
                        sample_of(inputs, n, false),
                        sample_of(before, n, true),
                        target_of(of_inputs, n, false),
                        of_up[at]);
    of_slope[at][0] = backward.slope();
  });
  return {of_inputs,
          total(of_up, block.up),
          total(of_slope, block.slope),
          total(of_weight, block.weight),
          total(of_bias, block.bias)};
}

}  // namespace proxytune::ops
