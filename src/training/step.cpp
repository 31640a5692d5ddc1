#include "training/step.h"

#include <utility>
#include <vector>

#include "proxytune/core/error.h"
#include "proxytune/training/loss.h"

namespace proxytune::training {
namespace {

std::span<float> floats(const torch::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// The labels as a tensor in the shape of these logits, over the same memory.
torch::Tensor classes(std::span<const std::uint8_t> labels, const torch::Tensor& logits) {
  return torch::from_blob(const_cast<std::uint8_t*>(labels.data()),
                          {logits.size(0), logits.size(2), logits.size(3), logits.size(4)},
                          torch::kUInt8);
}

}  // namespace

torch::Tensor channels_last(std::span<const float> values,
                            int count,
                            int channels,
                            const Triple& extents) {
  const std::int64_t c = channels;
  const std::int64_t z = extents[0];
  const std::int64_t y = extents[1];
  const std::int64_t x = extents[2];
  return torch::from_blob(const_cast<float*>(values.data()),
                          {count, c, z, y, x},
                          {z * y * x * c, 1, y * x * c, x * c, c},
                          torch::kFloat32);
}

Optimizer optimizer_for(const network::UNet& network,
                        const trials::HyperParameters& parameters,
                        const TrainingOptions& options) {
  std::vector<ParameterRange> tensors;
  for (const network::Segment& segment : network.parameters().segments)
    tensors.push_back(
        {static_cast<std::size_t>(segment.offset), static_cast<std::size_t>(segment.length)});
  return {parameters.optimizer,
          parameters.learning_rate,
          std::move(tensors),
          parameters.weight_decay,
          {learning_rate_factor(options), options.warmup_steps}};
}

torch::Tensor batch_loss(const network::UNet& network,
                         Loss loss,
                         const torch::Tensor& images,
                         std::span<const std::uint8_t> labels) {
  if (network.options().out_channels == 2) {
    const torch::Tensor odds = network.log_odds(images);
    return segmentation_loss_of_odds(loss, odds, classes(labels, odds));
  }
  const torch::Tensor logits = network.forward(images);
  return segmentation_loss(loss, logits, classes(labels, logits));
}

void update(network::UNet& network, Optimizer& optimizer) {
  const network::FlatParameters& parameters = network.parameters();
  optimizer.step(floats(parameters.values), floats(parameters.gradients));
}

WindowPredictor predictor(network::UNet& network, const TrainingOptions& options) {
  network.set_training(false);
  const Triple window = reversed(options.window);
  auto logits = std::make_shared<torch::Tensor>();
  return [&network, window, logits](int count,
                                    std::span<const float> windows) -> std::span<const float> {
    const torch::NoGradGuard without_gradients;
    const int channels = network.options().in_channels;
    *logits = network.forward(channels_last(windows, count, channels, window))
                  .contiguous(torch::MemoryFormat::ChannelsLast3d);
    return floats(*logits);
  };
}

void stop_if_asked(const std::atomic<bool>& stop) {
  if (stop.load(std::memory_order_relaxed))
    throw core::Stopped("training was asked to stop; the same command goes on with it");
}

}  // namespace proxytune::training
