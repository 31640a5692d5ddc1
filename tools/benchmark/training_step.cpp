// Seconds of the fastest of some training steps on cubes or boxes, after one step that is not
// timed.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "training/batch_gradient.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace {

using namespace proxytune;

double fastest_step(const network::UNetOptions& options,
                    const training::Triple& patch,
                    int batch,
                    int steps,
                    network::Precision precision) {
  const training::FlushDenormals flush;
  network::UNet network(options);
  network.set_precision(precision);
  initialise(network, core::RandomKey(0));
  training::Optimizer optimizer = training::optimizer_for(network, {});
  std::vector<float> images(static_cast<std::size_t>(batch) * training::voxels_of(patch));
  core::Random random(core::RandomKey(0).with("benchmark"));
  for (float& voxel : images)
    voxel = static_cast<float>(random.uniform());
  std::vector<std::uint8_t> labels(images.size());
  for (std::size_t v = 0; v < labels.size(); ++v)
    labels[v] = v / 5 % 2 == 0 ? 0 : 1;
  training::TrainingOptions training;
  training.patch = {patch[2], patch[1], patch[0]};
  training::Team alone;
  training::BatchGradient gradient(network, alone, training);
  double fastest = std::numeric_limits<double>::infinity();
  for (int step = 0; step <= steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    gradient(batch, [&](int, int) { return training::Patches{images, labels}; });
    training::update(network, optimizer);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (step > 0)
      fastest = std::min(fastest, taken.count());
  }
  return fastest;
}

}  // namespace

int main(int count, char** words) {
  if (count != 10) {
    std::cerr
        << "usage: benchmark_training_step CHANNELS LEVELS UNITS X Y Z BATCH STEPS PRECISION\n";
    return 64;
  }
  const auto number = [&](int i) { return std::atoi(words[i]); };
  const auto precision = core::from_string<network::Precision>(words[9]);
  training::set_up_numerics(1, 0);
  std::cout << fastest_step(
                   {.channels = number(1), .levels = number(2), .residual_units = number(3)},
                   {number(6), number(5), number(4)},
                   number(7),
                   number(8),
                   precision)
            << '\n';
}
