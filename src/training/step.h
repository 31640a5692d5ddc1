#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "proxytune/network/unet.h"
#include "proxytune/training/boxes.h"
#include "proxytune/training/optimizer.h"
#include "proxytune/training/options.h"
#include "proxytune/training/sliding_window.h"
#include "proxytune/training/trainer.h"

namespace proxytune::training {

struct Model::State {
  network::UNet network;
};

/// (count, channels, z, y, x) over memory in the order (count, z, y, x, channel), which must
/// outlive it. The strides are set by hand: with one channel LibTorch would call the same
/// memory contiguous and take slow convolutions.
torch::Tensor channels_last(std::span<const float> values,
                            int count,
                            int channels,
                            const Triple& extents);

/// An optimizer for all parameters of the network.
Optimizer optimizer_for(const network::UNet& network,
                        const trials::HyperParameters& parameters,
                        const TrainingOptions& options = {});

/// The network's loss of images and `labels` (count, z, y, x), with a gradient where gradients
/// are on.
torch::Tensor batch_loss(const network::UNet& network,
                         Loss loss,
                         const torch::Tensor& images,
                         std::span<const std::uint8_t> labels);

/// A step of the optimizer along the network's gradients.
void update(network::UNet& network, Optimizer& optimizer);

/// The network's logits of windows, without gradients and with running moments.
WindowPredictor predictor(network::UNet& network, const TrainingOptions& options);

/// Throws core::Stopped when it is set.
void stop_if_asked(const std::atomic<bool>& stop);

}  // namespace proxytune::training
