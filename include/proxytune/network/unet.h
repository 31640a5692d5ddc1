#pragma once

#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "proxytune/core/random.h"
#include "proxytune/network/flat_parameters.h"
#include "proxytune/network/precision.h"
#include "proxytune/network/unet_options.h"
#include "proxytune/ops/batch_sums.h"

namespace proxytune::network {

struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
};

/// MONAI's UNet(spatial_dims=3, in_channels, out_channels, channels=(c, 2c, ...), strides=(2,
/// ...), num_res_units, norm), its arithmetic and the names of its state_dict. Tensors run
/// channels-last throughout. Two shortcuts change no more than the last digits: a bias that
/// instance norm cancels is left out (its gradient is exactly zero, where MONAI's is
/// round-off), and the last convolution has its identity residual added to its weights.
class UNet {
 public:
  /// Weights are zero, slopes 0.25 and norms 1 and 0 until initialise() or load_state().
  /// Throws core::FieldError for options that cannot work.
  explicit UNet(const UNetOptions& options,
                torch::Device device = torch::kCPU,
                torch::ScalarType type = torch::kFloat32);
  UNet(UNet&&) noexcept;
  UNet& operator=(UNet&&) noexcept;
  ~UNet();

  /// (batch, in_channels, z, y, x) -> logits (batch, out_channels, z, y, x), both of the
  /// network's type in either precision. The extents must pass check_patch().
  torch::Tensor forward(const torch::Tensor& images) const;

  /// Of a network of two classes, the logits of class 1 less those of class 0: (batch, 1, z, y,
  /// x). It is all that the softmax depends on, at a part of the last convolution's cost.
  torch::Tensor log_odds(const torch::Tensor& images) const;

  /// Puts the gradients of this scalar, which must come of forward() or log_odds(), into
  /// parameters().gradients, whatever was there; 0 where it does not depend on a parameter.
  void backward(const torch::Tensor& scalar);

  /// Batch norm takes the batch's moments and updates the running ones (true, at first), or
  /// uses the running ones. Nothing else depends on it.
  void set_training(bool training);

  /// The same parameters, in one memory, with gradients of its own, for another part of a
  /// batch. It moves no running moments: the network that it is made of does. For training
  /// only.
  UNet replica() const;

  /// What adds up batch norm's moments where forward() gets a part of a batch; null, as at
  /// first: it gets all of it. They outlive the passes.
  void set_batch_sums(ops::BatchSums* sums);

  /// What forward() computes in; float32 networks only. f32 at first.
  void set_precision(Precision precision);

  const UNetOptions& options() const;
  const FlatParameters& parameters() const;
  /// MONAI's state_dict: live tensors (parameters and running moments) in its order, without
  /// gradients; clone what is to be kept.
  std::vector<NamedTensor> state() const;

 private:
  struct Layers;
  explicit UNet(std::unique_ptr<Layers> layers);
  std::unique_ptr<Layers> layers_;
};

/// PyTorch's default initialisation: convolution weights and biases uniform in
/// +-1/sqrt(size(1) of the weight * kernel voxels), also for transposed ones; PReLU 0.25, norm
/// 1 and 0. Numbers are keyed by the parameter's name.
void initialise(UNet& network, const core::RandomKey& key);

/// Copies the tensors into the network. Throws core::DataError, naming `origin`, for missing
/// and unexpected names and for wrong shapes, before anything is copied; num_batches_tracked
/// may be absent.
void load_state(UNet& network,
                const std::vector<NamedTensor>& state,
                const std::string& origin);

}  // namespace proxytune::network
