// Where a training step's time goes: milliseconds a patch of each operation, nested ones left
// out of what holds them, beside how long a copy of its tensors takes.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/record_function.h>

#include "proxytune/core/random.h"
#include "training/batch_gradient.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace {

using namespace proxytune;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Cost {
  double time = 0;  // milliseconds
  int calls = 0;
};

struct Open {
  std::string name;
  Clock::time_point start;
  double nested = 0;
};

std::vector<Open> open;
std::map<std::string, Cost> costs;

/// The operation, and the sizes of what it is given.
std::string name_of(const at::RecordFunction& function) {
  std::ostringstream name;
  name << function.name();
  for (const c10::IValue& value : function.inputs())
    if (value.isTensor() && value.toTensor().defined() && value.toTensor().dim() == 5)
      name << ' ' << value.toTensor().sizes();
  return name.str();
}

void record() {
  at::addGlobalCallback(
      at::RecordFunctionCallback(
          [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
            open.push_back({name_of(function), Clock::now(), 0});
            return nullptr;
          },
          [](const at::RecordFunction&, at::ObserverContext*) {
            const Open& last = open.back();
            const double time = milliseconds(Clock::now() - last.start);
            Cost& cost = costs[last.name];
            cost.time += time - last.nested;
            ++cost.calls;
            open.pop_back();
            if (!open.empty())
              open.back().nested += time;
          })
          .needsInputs(true));
}

/// GB/s of reading and writing together, of arrays far larger than the second-level cache.
double copy_rate() {
  const std::size_t bytes = std::size_t{28} << 20U;
  std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = Clock::now();
    std::memcpy(to.data(), from.data(), bytes);
    best =
        std::max(best, 2e-6 * static_cast<double>(bytes) / milliseconds(Clock::now() - start));
  }
  return best;
}

}  // namespace

int main(int count, char** words) {
  if (count != 10) {
    std::cerr
        << "usage: benchmark_operations CHANNELS LEVELS UNITS X Y Z BATCH STEPS PRECISION\n";
    return 64;
  }
  const auto number = [&](int i) { return std::atoi(words[i]); };
  training::set_up_numerics(1, 0);
  const training::FlushDenormals flush;
  network::UNet network(
      {.channels = number(1), .levels = number(2), .residual_units = number(3)});
  network.set_precision(core::from_string<network::Precision>(words[9]));
  initialise(network, core::RandomKey(0));
  training::Optimizer optimizer = training::optimizer_for(network, {});
  const training::Triple patch{number(6), number(5), number(4)};
  const int batch = number(7);
  const int steps = number(8);
  std::vector<float> images(static_cast<std::size_t>(batch) * training::voxels_of(patch));
  core::Random random(core::RandomKey(0).with("benchmark"));
  for (float& voxel : images)
    voxel = static_cast<float>(random.uniform());
  const std::vector<std::uint8_t> labels(images.size(), 1);
  training::TrainingOptions training;
  training.patch = {patch[2], patch[1], patch[0]};
  training::Team alone;
  training::BatchGradient gradient(network, alone, training);
  const auto step = [&] {
    gradient(batch, [&](int, int) { return training::Patches{images, labels}; });
    training::update(network, optimizer);
  };
  step();
  record();
  const auto start = Clock::now();
  for (int i = 0; i < steps; ++i)
    step();
  const double patches = steps * batch;
  const double whole = milliseconds(Clock::now() - start) / patches;
  std::vector<std::pair<std::string, Cost>> sorted(costs.begin(), costs.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.time > b.second.time;
  });
  std::cout << std::fixed << std::setprecision(3);
  double seen = 0;
  for (const auto& [name, cost] : sorted) {
    seen += cost.time / patches;
    if (cost.time / patches > whole / 200)
      std::cout << cost.time / patches << " ms " << cost.calls / steps << "x " << name << '\n';
  }
  std::cout << whole << " ms a patch, of which in operations " << seen << "; a copy moves "
            << copy_rate() << " GB/s\n";
}
