#include <chrono>

#include "training/batch_gradient.h"
#include "training/flush_denormals.h"
#include "training/peak_memory.h"
#include "training/step.h"

namespace proxytune::training {
namespace {

template <class Call>
double seconds_a_call(int calls, const Call& call) {
  call();  // the first one prepares memory and kernels
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i)
    call();
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - start;
  return calls > 0 ? all.count() / calls : 0;
}

std::vector<float> random_voxels(std::size_t count) {
  core::Random random(core::RandomKey(0).with("measure"));
  std::vector<float> voxels(count);
  for (float& voxel : voxels)
    voxel = static_cast<float>(random.uniform());
  return voxels;
}

}  // namespace

StepCost measure_step(const network::UNetOptions& options,
                      const TrainingOptions& training,
                      int steps,
                      network::Precision precision,
                      std::size_t largest_case) {
  const FlushDenormals flush;
  const PeakMemory memory;
  network::UNet network(options);
  network.set_precision(precision);
  initialise(network, core::RandomKey(0));
  Optimizer optimizer = optimizer_for(network, {});
  const int patches = patches_of_step(training);
  const Triple patch = reversed(training.patch);
  const auto channels = static_cast<std::size_t>(options.in_channels);
  const auto classes = static_cast<std::size_t>(options.out_channels);
  const std::size_t voxels = voxels_of(patch) * static_cast<std::size_t>(patches);
  // A trial keeps its batch while it validates.
  const std::vector<float> images = random_voxels(voxels * channels);
  std::vector<std::uint8_t> labels(voxels);
  for (std::size_t v = 0; v < voxels; ++v)
    labels[v] = static_cast<std::uint8_t>(v / 5 % classes);
  Team alone;
  BatchGradient gradient(network, alone, training);
  StepCost cost;
  cost.training_step_seconds = seconds_a_call(steps, [&] {
    gradient(patches, [&](int, int) { return Patches{images, labels}; });
    update(network, optimizer);
  });
  const std::vector<float> windows =
      random_voxels(voxels_of(reversed(training.window)) * channels *
                    static_cast<std::size_t>(training.windows_per_step));
  const std::vector<float> sums_of_logits(largest_case * classes);
  const WindowPredictor predict = predictor(network, training);
  cost.inference_step_seconds =
      seconds_a_call(steps, [&] { predict(training.windows_per_step, windows); });
  cost.memory_bytes = memory.bytes();
  return cost;
}

}  // namespace proxytune::training
