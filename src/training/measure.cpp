#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "training/flush_denormals.h"
#include "training/step.h"

namespace proxytune::training {
namespace {

/// A line of /proc/self/status such as VmHWM, in bytes; 0 where there is none.
double status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kibibytes = 0;
  while (status >> word)
    if (word == name + ":" && status >> kibibytes)
      return kibibytes * 1024;
  return 0;
}

/// Gives back what earlier work freed, since memory that is used again adds nothing to the
/// resident set, and makes the kernel forget the peak so far, where it lets us.
void forget_past_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << 5;
}

template <class Call>
double seconds_a_call(int calls, const Call& call) {
  call();  // the first one prepares memory and kernels
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i)
    call();
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - start;
  return all.count() / calls;
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
                      network::Precision precision) {
  const FlushDenormals flush;
  forget_past_memory();
  const double before = status_bytes("VmRSS");
  network::UNet network(options);
  network.set_precision(precision);
  initialise(network, core::RandomKey(0));
  Optimizer optimizer = optimizer_for(network, {});
  const int patches = training.cases_per_step * training.patches_per_case;
  const Triple patch = reversed(training.patch);
  const Triple window = reversed(training.window);
  const auto channels = static_cast<std::size_t>(options.in_channels);
  StepCost cost;
  {
    const std::size_t voxels = voxels_of(patch) * static_cast<std::size_t>(patches);
    const std::vector<float> images = random_voxels(voxels * channels);
    std::vector<std::uint8_t> labels(voxels);
    for (std::size_t v = 0; v < voxels; ++v)
      labels[v] =
          static_cast<std::uint8_t>(v / 5 % static_cast<std::size_t>(options.out_channels));
    const auto batch = channels_last(images, patches, options.in_channels, patch);
    cost.training_step_seconds = seconds_a_call(
        steps, [&] { training_step(network, optimizer, training.loss, batch, labels); });
  }
  const std::vector<float> windows = random_voxels(
      voxels_of(window) * channels * static_cast<std::size_t>(training.windows_per_step));
  const WindowPredictor predict = predictor(network, training);
  cost.inference_step_seconds =
      seconds_a_call(steps, [&] { predict(training.windows_per_step, windows); });
  cost.memory_bytes = std::max(0.0, status_bytes("VmHWM") - before);
  return cost;
}

}  // namespace proxytune::training
