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
                        const trials::HyperParameters& parameters);

/// Forward, loss, backward and update; returns the loss. Where that is not finite the
/// parameters stay as they were. `labels` (count, z, y, x).
double training_step(network::UNet& network,
                     Optimizer& optimizer,
                     Loss loss,
                     const torch::Tensor& images,
                     std::span<const std::uint8_t> labels);

/// The network's logits of windows, without gradients and with running moments.
WindowPredictor predictor(network::UNet& network, const TrainingOptions& options);

/// Dice of these cases in this order; `stop` is looked at between batches of windows.
trials::CaseScores score_cases(network::UNet& network,
                               const datasets::CaseSource& cases,
                               std::span<const int> indices,
                               const TrainingOptions& options,
                               const std::atomic<bool>& stop);

/// Throws core::Stopped when it is set.
void stop_if_asked(const std::atomic<bool>& stop);

}  // namespace proxytune::training
