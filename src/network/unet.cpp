#include "proxytune/network/unet.h"

#include <optional>
#include <unordered_map>

#include "network/architecture.h"
#include "proxytune/ops/batch_norm_prelu.h"
#include "proxytune/ops/concatenate.h"
#include "proxytune/ops/convolution.h"
#include "proxytune/ops/convolution_pair.h"
#include "proxytune/ops/instance_norm_prelu.h"
#include "proxytune/ops/share.h"
#include "proxytune/ops/up_block.h"

namespace proxytune::network {
namespace {

using torch::Tensor;

/// How a forward pass is done.
struct Mode {
  bool training = true;
  torch::ScalarType activations = torch::kFloat32;
  bool odds = false;               // of two classes, in place of their logits
  ops::BatchSums* sums = nullptr;  // null: the batch is whole
};

struct Convolution {
  Tensor weight;
  Tensor bias;
  int stride = 1;
  bool transposed = false;

  Tensor operator()(const Tensor& input, const Mode& mode, bool with_bias = true) const {
    return ops::convolution(input,
                            weight,
                            with_bias ? std::optional<Tensor>(bias) : std::nullopt,
                            {stride, transposed, mode.activations});
  }
};

struct NormActivation {
  Tensor slope;
  std::optional<ops::BatchNorm> batch;  // none: instance norm
  Tensor batches;                       // seen by batch norm in training

  bool cancels_bias() const { return !batch; }
  void count_batch() const {
    const torch::NoGradGuard no_gradient;
    if (batches.defined())
      Tensor(batches).add_(1);
  }

  /// Normalised and activated, plus residual where there is one.
  Tensor operator()(const Tensor& input,
                    const std::optional<Tensor>& residual,
                    const Mode& mode) const {
    if (!batch)
      return ops::instance_norm_prelu(input, slope, residual);
    if (mode.training) {
      count_batch();
      return ops::batch_norm_prelu(input, *batch, slope, residual, 1e-5, mode.sums);
    }
    const Tensor normal = torch::batch_norm(input,
                                            batch->weight,
                                            batch->bias,
                                            batch->running_mean,
                                            batch->running_variance,
                                            false,
                                            0.1,
                                            1e-5,
                                            false);
    const Tensor active = torch::prelu(normal.to(slope.scalar_type()), slope);
    return (residual ? active + *residual : active).to(input.scalar_type());
  }
};

/// Convolution, norm and activation.
struct Unit {
  Convolution convolution;
  NormActivation norm;
};

struct Encoder {
  std::vector<Unit> units;
  Convolution residual;

  Tensor operator()(const Tensor& input, const Mode& mode) const {
    const auto [first, added] = both(input, mode);
    Tensor result = first;
    for (const Unit& unit : units) {
      if (&unit != &units.front())
        result = unit.convolution(result, mode, !unit.norm.cancels_bias());
      result = unit.norm(
          result, &unit == &units.back() ? std::optional<Tensor>(added) : std::nullopt, mode);
    }
    return result;
  }

  /// What the first unit's convolution gives, and the residual's.
  std::pair<Tensor, Tensor> both(const Tensor& input, const Mode& mode) const {
    const Unit& unit = units.front();
    if (residual.weight.size(2) != unit.convolution.weight.size(2)) {
      const auto [for_unit, for_residual] = ops::share(input);
      return {unit.convolution(for_unit, mode, !unit.norm.cancels_bias()),
              residual(for_residual, mode)};
    }
    const auto bias =
        unit.norm.cancels_bias() ? std::nullopt : std::optional(unit.convolution.bias);
    return ops::convolution_pair(input,
                                 {unit.convolution.weight, bias},
                                 {residual.weight, residual.bias},
                                 residual.stride,
                                 mode.activations);
  }
};

struct Decoder {
  Unit up;
  Convolution convolution;
  std::optional<NormActivation> norm;  // none at the top
  Tensor identity;                     // top only: the kernel that returns its input

  Tensor operator()(const Tensor& skip, const Tensor& deep, const Mode& mode) const {
    if (!norm && up.norm.cancels_bias()) {
      const Convolution last = to_logits(mode);
      return ops::up_block(skip,
                           deep,
                           {up.convolution.weight, up.norm.slope, last.weight, last.bias},
                           identity.scalar_type());
    }
    const Tensor wide =
        up.norm(up.convolution(ops::concatenate(skip, deep), mode, !up.norm.cancels_bias()),
                std::nullopt,
                mode);
    if (!norm) {
      const Convolution last = to_logits(mode);
      return ops::convolution(
          wide, last.weight, last.bias, {.output_type = identity.scalar_type()});
    }
    const auto [convolved, added] = ops::share(wide);
    return (*norm)(convolution(convolved, mode, !norm->cancels_bias()), added, mode);
  }

  /// The last convolution with its residual; its outputs are of the parameters' own type.
  Convolution to_logits(const Mode& mode) const {
    const Tensor weight = convolution.weight + identity;
    if (!mode.odds)
      return {weight, convolution.bias};
    const auto difference = [](const Tensor& of) {
      return of.narrow(0, 1, 1) - of.narrow(0, 0, 1);
    };
    return {difference(weight), difference(convolution.bias)};
  }
};

Tensor identity_kernel(const Tensor& weight) {
  Tensor kernel = torch::zeros_like(weight);
  kernel.select(4, 1).select(3, 1).select(2, 1).fill_diagonal_(1);
  return kernel;
}

}  // namespace

struct UNet::Layers {
  UNetOptions options;
  Mode mode;
  FlatParameters flat;
  std::vector<NamedTensor> state;  // parameters as leaves, and buffers
  std::vector<Encoder> encoders;   // the bottom last
  std::vector<Decoder> decoders;   // the top first

  void make_state(const torch::TensorOptions& like);
  void make_replica_of(const Layers& original);
  void make_layers();
  Tensor run(const Tensor& images, const Mode& with) const;
};

void UNet::Layers::make_state(const torch::TensorOptions& like) {
  const long long count = parameter_count(options);
  flat.values = torch::zeros({count}, like);
  flat.gradients = torch::zeros({count}, like);
  std::int64_t offset = 0;
  for (const Entry& entry : state_entries(options)) {
    if (!is_parameter(entry.role)) {
      const bool number = entry.role == Role::batches_tracked;
      state.push_back({entry.name,
                       torch::full(entry.shape,
                                   entry.role == Role::running_variance ? 1 : 0,
                                   number ? like.dtype(torch::kInt64) : like)});
      continue;
    }
    const std::int64_t length = c10::multiply_integers(entry.shape);
    const Segment segment{entry.name, offset, length, entry.shape};
    offset += length;
    Tensor parameter = view(flat.values, segment).detach();
    if (entry.role == Role::slope)
      parameter.fill_(0.25);
    if (entry.role == Role::norm_weight)
      parameter.fill_(1);
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = view(flat.gradients, segment);
    state.push_back({entry.name, parameter});
    flat.segments.push_back(segment);
  }
}

/// The same values under leaves of its own, without running moments.
void UNet::Layers::make_replica_of(const Layers& original) {
  options = original.options;
  mode = original.mode;
  flat = original.flat;
  flat.gradients = torch::zeros_like(flat.values);
  for (const Segment& segment : flat.segments) {
    Tensor parameter = view(flat.values, segment).detach();
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = view(flat.gradients, segment);
    state.push_back({segment.name, parameter});
  }
}

void UNet::Layers::make_layers() {
  std::unordered_map<std::string, Tensor> tensors;
  for (const NamedTensor& named : state)
    tensors.emplace(named.name, named.tensor);
  const auto buffer = [&](const std::string& name) {
    const auto found = tensors.find(name);
    return found == tensors.end() ? Tensor() : found->second;
  };
  const auto convolution = [&](const std::string& prefix, int stride, bool transposed = false) {
    return Convolution{
        tensors.at(prefix + "weight"), tensors.at(prefix + "bias"), stride, transposed};
  };
  const auto norm = [&](const std::string& prefix) {
    NormActivation made;
    made.slope = tensors.at(prefix + "A.weight");
    if (options.norm == Norm::batch) {
      made.batch = {tensors.at(prefix + "N.weight"),
                    tensors.at(prefix + "N.bias"),
                    buffer(prefix + "N.running_mean"),
                    buffer(prefix + "N.running_var")};
      made.batches = buffer(prefix + "N.num_batches_tracked");
    }
    return made;
  };
  const int bottom = options.levels - 1;
  for (int level = 0; level <= bottom; ++level) {
    const std::string prefix = level_prefix(level) + (level == bottom ? "" : "0.");
    const int stride = level == bottom ? 1 : 2;
    Encoder encoder;
    for (int i = 0; i < options.residual_units; ++i) {
      const std::string unit = prefix + "conv.unit" + std::to_string(i) + ".";
      encoder.units.push_back(
          {convolution(unit + "conv.", i == 0 ? stride : 1), norm(unit + "adn.")});
    }
    encoder.residual = convolution(prefix + "residual.", stride);
    encoders.push_back(std::move(encoder));
  }
  for (int level = 0; level < bottom; ++level) {
    const std::string prefix = level_prefix(level) + "2.";
    Decoder decoder{.up = {convolution(prefix + "0.conv.", 2, true), norm(prefix + "0.adn.")},
                    .convolution = convolution(prefix + "1.conv.unit0.conv.", 1),
                    .norm = std::nullopt,
                    .identity = {}};
    if (level == 0)
      decoder.identity = identity_kernel(decoder.convolution.weight.detach());
    else
      decoder.norm = norm(prefix + "1.conv.unit0.adn.");
    decoders.push_back(std::move(decoder));
  }
}

UNet::UNet(const UNetOptions& options, torch::Device device, torch::ScalarType type)
    : layers_(std::make_unique<Layers>()) {
  validate(options);
  layers_->options = options;
  layers_->mode.activations = type;
  layers_->make_state(torch::TensorOptions().device(device).dtype(type));
  layers_->make_layers();
}

UNet::UNet(std::unique_ptr<Layers> layers) : layers_(std::move(layers)) {}
UNet::UNet(UNet&&) noexcept = default;
UNet& UNet::operator=(UNet&&) noexcept = default;
UNet::~UNet() = default;

torch::Tensor UNet::Layers::run(const torch::Tensor& images, const Mode& with) const {
  std::vector<Tensor> skips;
  Tensor result = ops::channels_last(images);
  for (const Encoder& encoder : encoders) {
    result = encoder(result, with);
    const bool bottom = &encoder == &encoders.back();
    const auto [down, across] = bottom ? std::pair(result, Tensor()) : ops::share(result);
    result = down;
    skips.push_back(across);
  }
  for (std::size_t level = decoders.size(); level-- > 0;)
    result = decoders[level](skips[level], result, with);
  return result;
}

torch::Tensor UNet::forward(const torch::Tensor& images) const {
  return layers_->run(images, layers_->mode);
}

torch::Tensor UNet::log_odds(const torch::Tensor& images) const {
  TORCH_CHECK(layers_->options.out_channels == 2, "log_odds() is of networks of two classes");
  Mode mode = layers_->mode;
  mode.odds = true;
  return layers_->run(images, mode);
}

void UNet::backward(const torch::Tensor& scalar) {
  // Copied rather than added to zeros: two passes less over the gradients.
  std::vector<Tensor> leaves;
  for (const NamedTensor& named : layers_->state)
    if (named.tensor.requires_grad())
      leaves.push_back(named.tensor);
  const std::vector<Tensor> gradients =
      torch::autograd::grad({scalar}, leaves, {}, std::nullopt, false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    Tensor& to = leaves[i].mutable_grad();
    if (gradients[i].defined())
      to.copy_(gradients[i]);
    else
      to.zero_();
  }
}

UNet UNet::replica() const {
  auto layers = std::make_unique<Layers>();
  layers->make_replica_of(*layers_);
  layers->make_layers();
  return UNet(std::move(layers));
}

void UNet::set_batch_sums(ops::BatchSums* sums) {
  layers_->mode.sums = sums;
}
void UNet::set_training(bool training) {
  layers_->mode.training = training;
}
void UNet::set_precision(Precision precision) {
  TORCH_CHECK(layers_->flat.values.scalar_type() == torch::kFloat32,
              "the precision of a network that is not float32 is its own");
  layers_->mode.activations =
      resolved(precision) == Precision::bf16 ? torch::kBFloat16 : torch::kFloat32;
}
const UNetOptions& UNet::options() const {
  return layers_->options;
}
const FlatParameters& UNet::parameters() const {
  return layers_->flat;
}

std::vector<NamedTensor> UNet::state() const {
  std::vector<NamedTensor> detached;
  for (const NamedTensor& named : layers_->state)
    detached.push_back({named.name, named.tensor.detach()});
  return detached;
}

}  // namespace proxytune::network
