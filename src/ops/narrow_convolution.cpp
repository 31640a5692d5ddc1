#include "ops/narrow_convolution.h"

#include <algorithm>
#include <array>

#include "ops/rows.h"

namespace proxytune::ops {
namespace {

/// One axis of a tap: which of the planes at hand, or which parity, how many positions on, and
/// which of the kernel's three.
struct AxisTap {
  int part = 0;
  int shift = 0;
  int kernel = 0;
};

std::vector<AxisTap> axis_taps(Relation relation, int output_parity) {
  switch (relation) {
    case Relation::same:
      return {{0, -1, 0}, {0, 0, 1}, {0, 1, 2}};
    case Relation::fine_to_coarse:
      return {{1, -1, 0}, {0, 0, 1}, {1, 0, 2}};
    case Relation::coarse_to_fine:
      break;
  }
  if (output_parity == 0)
    return {{0, 0, 1}};
  return {{0, 0, 2}, {0, 1, 0}};
}

/// The planes of the input that a plane of the output (or both of a fine one) needs.
std::vector<const Plane*> planes_at_hand(Relation relation,
                                         PlaneWindow& planes,
                                         std::int64_t z) {
  switch (relation) {
    case Relation::same:
      return {&planes.at(z - 1), &planes.at(z), &planes.at(z + 1)};
    case Relation::fine_to_coarse:
      return {&planes.at(2 * z - 1), &planes.at(2 * z), &planes.at(2 * z + 1)};
    case Relation::coarse_to_fine:
      break;
  }
  return {&planes.at(z), &planes.at(z + 1)};
}

/// Index into planes_at_hand.
int plane_of(Relation relation, const AxisTap& tap) {
  return relation == Relation::coarse_to_fine ? tap.shift : tap.kernel;
}

std::int64_t vectors_for(std::int64_t positions, std::int64_t of_a_vector) {
  return (positions + of_a_vector - 1) / of_a_vector;
}

/// Bytes of a row's positions that a pass over all terms should keep in the first-level cache.
constexpr std::int64_t chunk_vectors = 32;

std::uint32_t word_of(float value) {
  std::uint32_t word = 0;
  static_assert(sizeof(word) == sizeof(value));
  std::copy_n(
      reinterpret_cast<const std::byte*>(&value), 4, reinterpret_cast<std::byte*>(&word));
  return word;
}

}  // namespace

ShiftedConvolution::ShiftedConvolution(const ProductKernels& kernels,
                                       Arithmetic arithmetic,
                                       Relation relation,
                                       const Lattice& lattice,
                                       int inputs,
                                       int outputs,
                                       const float* weight,
                                       const float* bias)
    : kernels_(kernels),
      relation_(relation),
      lattice_(lattice),
      layout_{arithmetic, Form::words, inputs, relation == Relation::fine_to_coarse},
      outputs_(outputs) {
  const int parities = relation == Relation::coarse_to_fine ? 2 : 1;
  for (int z = 0; z < parities; ++z)
    for (int y = 0; y < parities; ++y)
      for (int x = 0; x < parities; ++x)
        for (int first = 0; first < outputs; first += most_outputs)
          add_piece({z, y, x, first, std::min(most_outputs, outputs - first), {}, {}, {}},
                    weight,
                    bias);
}

void ShiftedConvolution::add_piece(Piece piece, const float* weight, const float* bias) {
  for (const AxisTap& z : axis_taps(relation_, piece.z_parity))
    for (const AxisTap& y : axis_taps(relation_, piece.y_parity))
      for (const AxisTap& x : axis_taps(relation_, piece.x_parity))
        piece.taps.push_back({plane_of(relation_, z),
                              layout_.fine ? layout_.first_row(y.part, x.part) : 0,
                              y.shift * lattice_.pitch() + x.shift,
                              (z.kernel * 3 + y.kernel) * 3 + x.kernel});
  const int inputs = layout_.channels;
  const auto weight_of = [&](int output, int input, int kernel) {
    return input < inputs ? weight[((piece.first + output) * inputs + input) * 27 + kernel] : 0;
  };
  for (const Tap& tap : piece.taps)
    for (int group = 0; group < layout_.groups(); ++group)
      for (int o = 0; o < piece.outputs; ++o) {
        if (!layout_.pairs()) {
          piece.weights.push_back(word_of(weight_of(o, group, tap.kernel)));
          continue;
        }
        const float low = weight_of(o, 2 * group, tap.kernel);
        const float high = weight_of(o, 2 * group + 1, tap.kernel);
        narrow_to_pairs(&low, &high, 1, &piece.weights.emplace_back());
      }
  for (int o = 0; o < piece.outputs; ++o)
    piece.initial.push_back(bias == nullptr ? 0 : bias[piece.first + o]);
  pieces_.push_back(std::move(piece));
}

void ShiftedConvolution::add_products(const Piece& piece,
                                      const std::vector<const Plane*>& planes,
                                      Work& work) const {
  work.sources.clear();
  for (const Tap& tap : piece.taps)
    for (int group = 0; group < layout_.groups(); ++group)
      work.sources.push_back(planes[static_cast<std::size_t>(tap.plane)]->row(tap.row + group) +
                             tap.offset * layout_.element());
  kernels_.add_products(
      {.terms = static_cast<int>(work.sources.size()),
       .outputs = piece.outputs,
       .vectors = work.pitch / kernels_.lanes,
       .sources = work.sources.data(),
       .weights = piece.weights.data(),
       .initial = piece.initial.data(),
       .result = work.sums.get() + std::int64_t{piece.x_parity} * piece.outputs * work.pitch,
       .pitch = work.pitch});
}

void ShiftedConvolution::operator()(const Samples& input,
                                    const Targets& output,
                                    const Hooks& hooks) const {
  PlaneWindow planes = window(input, hooks.on_read);
  Work work = workspace();
  for (std::int64_t z = 0; z < lattice_.z; ++z) {
    write_plane(z, planes, output, hooks, work);
    if (hooks.after)
      hooks.after(z, planes);
  }
}

PlaneWindow ShiftedConvolution::window(const Samples& input, const PlaneFilter& on_read) const {
  const int kept = relation_ == Relation::coarse_to_fine ? 2 : 3;
  return {kernels_, lattice_, layout_, input, kept, {on_read, {}}};
}

ShiftedConvolution::Work ShiftedConvolution::workspace() const {
  Work work;
  work.pitch = vectors_for(lattice_.positions(), kernels_.lanes) * kernels_.lanes;
  const int rows =
      std::min(outputs_, most_outputs) * (relation_ == Relation::coarse_to_fine ? 2 : 1);
  work.sums =
      std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(work.pitch * rows));
  return work;
}

void ShiftedConvolution::write_plane(std::int64_t z,
                                     PlaneWindow& planes,
                                     const Targets& output,
                                     const Hooks& hooks,
                                     Work& work) const {
  const bool fine = relation_ == Relation::coarse_to_fine;
  const std::vector<const Plane*> at_hand = planes_at_hand(relation_, planes, z);
  for (const Piece& piece : pieces_) {
    add_products(piece, at_hand, work);
    if (fine && piece.x_parity == 0)
      continue;  // a row of the target has both parities
    const std::int64_t plane = fine ? 2 * z + piece.z_parity : z;
    const int rows = fine ? 2 * piece.outputs : piece.outputs;
    if (hooks.on_sums)
      hooks.on_sums({plane, piece.y_parity, piece.first, rows, work.sums.get(), work.pitch});
    for (std::int64_t y = 0; y < lattice_.y; ++y)
      write_rows(piece,
                 work.sums.get() + y * lattice_.pitch(),
                 fine ? (plane * lattice_.y + y) * 2 + piece.y_parity : plane * lattice_.y + y,
                 output,
                 work);
  }
}

/// One row of the output, each target's channels of it.
void ShiftedConvolution::write_rows(const Piece& piece,
                                    const float* sums,
                                    std::int64_t row,
                                    const Targets& output,
                                    Work& work) const {
  const auto write = [&](const Target& to, int first_sum, int rows, int first) {
    write_row(kernels_,
              sums + first_sum * work.pitch,
              work.pitch,
              lattice_.x,
              rows,
              first,
              to,
              row,
              work.scratch);
  };
  if (output.fine())
    return write(output.parts.front(), 0, 2 * piece.outputs, piece.first);
  int begin = 0;
  for (const Target& part : output.parts) {
    const int first = std::max(begin, piece.first);
    const int end = std::min(begin + part.channels, piece.first + piece.outputs);
    if (first < end)
      write(part, first - piece.first, end - first, first - begin);
    begin += part.channels;
  }
}

WeightGradient::WeightGradient(const ProductKernels& kernels,
                               Arithmetic arithmetic,
                               Relation relation,
                               const Lattice& lattice,
                               int shifted_channels,
                               int dense_channels)
    : kernels_(kernels),
      reading_(relation == Relation::same ? relation : Relation::fine_to_coarse),
      lattice_(lattice),
      layout_{arithmetic, Form::values, shifted_channels, relation != Relation::same} {
  const std::int64_t of_a_vector = 4 * kernels.lanes / layout_.element();
  vectors_ = vectors_for(lattice.positions(), of_a_vector);
  for (int first = 0; first < dense_channels; first += most_outputs) {
    const int outputs = std::min(most_outputs, dense_channels - first);
    const int lanes = 27 * shifted_channels * outputs * kernels.lanes;
    blocks_.push_back({first, outputs, std::vector<float>(static_cast<std::size_t>(lanes))});
  }
}

void WeightGradient::add(std::int64_t z, PlaneWindow& shifted, PlaneWindow& dense) {
  const std::vector<AxisTap> taps = axis_taps(reading_, 0);
  const std::vector<const Plane*> at_hand = planes_at_hand(reading_, shifted, z);
  sources_.clear();
  for (const AxisTap& tz : taps)
    for (const AxisTap& ty : taps)
      for (const AxisTap& tx : taps) {
        const Plane& plane = *at_hand[static_cast<std::size_t>(tz.kernel)];
        const int row = layout_.fine ? layout_.first_row(ty.part, tx.part) : 0;
        const std::int64_t offset = ty.shift * lattice_.pitch() + tx.shift;
        for (int c = 0; c < layout_.channels; ++c)
          sources_.push_back(plane.row(row + c) + offset * layout_.element());
      }
  for (Block& block : blocks_)
    add_block(block, dense.at(z));
}

void WeightGradient::add_block(Block& block, const Plane& dense) {
  std::vector<const std::byte*> from(sources_);
  std::array<const std::byte*, most_outputs> others{};
  for (int o = 0; o < block.outputs; ++o)
    others[static_cast<std::size_t>(o)] = dense.row(block.first + o);
  for (std::int64_t begin = 0; begin < vectors_; begin += chunk_vectors) {
    const std::int64_t here = std::min(chunk_vectors, vectors_ - begin);
    kernels_.add_dots({.terms = static_cast<int>(from.size()),
                       .outputs = block.outputs,
                       .vectors = here,
                       .sources = from.data(),
                       .others = others.data(),
                       .sums = block.lanes.data()});
    const std::int64_t bytes = here * 4 * kernels_.lanes;
    for (const std::byte*& source : from)
      source += bytes;
    for (int o = 0; o < block.outputs; ++o)
      others[static_cast<std::size_t>(o)] += bytes;
  }
}

void WeightGradient::add_to(std::vector<double>& sums) const {
  const auto shifted = static_cast<std::size_t>(layout_.channels);
  for (const Block& block : blocks_) {
    const float* lanes = block.lanes.data();
    const auto first = static_cast<std::size_t>(block.first);
    const auto outputs = static_cast<std::size_t>(block.outputs);
    for (std::size_t kernel = 0; kernel < 27; ++kernel)
      for (std::size_t c = 0; c < shifted; ++c)
        for (std::size_t o = 0; o < outputs; ++o) {
          double sum = 0;
          for (int lane = 0; lane < kernels_.lanes; ++lane)
            sum += static_cast<double>(*lanes++);
          sums[((first + o) * shifted + c) * 27 + kernel] += sum;
        }
  }
}

namespace {

PlaneWindow window_on(const ProductKernels& kernels,
                      Arithmetic arithmetic,
                      const Lattice& lattice,
                      const Samples& sample,
                      bool shifted,
                      const PlaneSource& source = {}) {
  const RowLayout layout{arithmetic, Form::values, sample.channels(), sample.fine()};
  return {kernels, lattice, layout, sample, shifted ? 3 : 1, source};
}

}  // namespace

void add_weight_gradient(const ProductKernels& kernels,
                         Arithmetic arithmetic,
                         Relation relation,
                         const Lattice& lattice,
                         const Samples& shifted,
                         const Samples& dense,
                         std::vector<double>& sums) {
  WeightGradient gradient(
      kernels, arithmetic, relation, lattice, shifted.channels(), dense.channels());
  PlaneWindow shifted_planes = window_on(kernels, arithmetic, lattice, shifted, true);
  PlaneWindow dense_planes = window_on(kernels, arithmetic, lattice, dense, false);
  for (std::int64_t z = 0; z < lattice.z; ++z)
    gradient.add(z, shifted_planes, dense_planes);
  gradient.add_to(sums);
}

void run_backward(const ProductKernels& kernels,
                  Relation relation,
                  const Lattice& lattice,
                  const ShiftedConvolution& backward,
                  const Samples& input,
                  const Samples& gradient,
                  const Targets& input_gradient,
                  std::vector<double>& sums,
                  const BackwardHooks& hooks) {
  // Words and values are the same in float32, so one window serves both.
  const bool input_is_dense = relation == Relation::coarse_to_fine;
  const int shifted = input_is_dense ? gradient.channels() : input.channels();
  const int dense = input_is_dense ? input.channels() : gradient.channels();
  WeightGradient weight(kernels, Arithmetic::float32, relation, lattice, shifted, dense);
  PlaneWindow inputs = window_on(
      kernels, Arithmetic::float32, lattice, input, !input_is_dense, {{}, hooks.make_input});
  const auto after = [&](std::int64_t z, PlaneWindow& gradients) {
    if (input_is_dense)
      weight.add(z, gradients, inputs);
    else
      weight.add(z, inputs, gradients);
    if (hooks.with_gradient)
      hooks.with_gradient(z, gradients);
  };
  backward(gradient, input_gradient, {hooks.on_gradient, hooks.on_input_gradient, after});
  weight.add_to(sums);
}

}  // namespace proxytune::ops
