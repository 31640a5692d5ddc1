// A training step of all ranks of MPI's world as one team, on random cubes: seconds of the
// fastest of some steps after one that is not timed, of the reduction of the gradients alone,
// and of the agreement that every step begins with.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/names.h"
#include "proxytune/core/random.h"
#include "proxytune/training/trainer.h"
#include "training/batch_gradient.h"
#include "training/flush_denormals.h"
#include "training/step.h"

namespace {

using namespace proxytune;

struct Setting {
  network::UNetOptions network;
  training::TrainingOptions training;
  int batch = 0;
  int steps = 0;
  network::Precision precision = network::Precision::f32;
  training::Reduction reduction = training::Reduction::ordered;
};

/// Of the slowest rank, the fastest of `calls` after one that is not timed.
template <class Call>
double seconds_of(comm::Communicator& world, int calls, const Call& call) {
  double fastest = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= calls; ++i) {
    world.barrier();
    const auto start = std::chrono::steady_clock::now();
    call();
    world.barrier();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (i > 0)
      fastest = std::min(fastest, taken.count());
  }
  return fastest;
}

void measure(comm::Communicator& world, const Setting& setting) {
  const training::FlushDenormals flush;
  network::UNet network(setting.network);
  network.set_precision(setting.precision);
  initialise(network, core::RandomKey(0));
  training::Optimizer optimizer = training::optimizer_for(network, {});
  const std::size_t voxels = training::voxels_of(training::reversed(setting.training.patch));
  core::Random random(core::RandomKey(0).with("benchmark").with(world.rank()));
  std::vector<float> images(static_cast<std::size_t>(setting.batch) * voxels);
  for (float& voxel : images)
    voxel = static_cast<float>(random.uniform());
  std::vector<std::uint8_t> labels(images.size());
  for (std::size_t v = 0; v < labels.size(); ++v)
    labels[v] = v / 5 % 2 == 0 ? 0 : 1;
  training::Team team(world, setting.reduction);
  training::BatchGradient gradient(network, team, setting.training);
  const double step = seconds_of(world, setting.steps, [&] {
    gradient(setting.batch, [&](int begin, int end) {
      const auto count = static_cast<std::size_t>(end - begin) * voxels;
      return training::Patches{std::span(images).first(count), std::span(labels).first(count)};
    });
    update(network, optimizer);
  });
  double reduction = 0;
  double agreement = 0;
  std::vector<float> flat(static_cast<std::size_t>(network.parameters().values.numel()));
  if (team.size() > 1) {
    agreement = seconds_of(world, 200, [&] { team.together([] {}); });
    const auto granules = training::Granules::of_patches(
        setting.batch, training::patches_of_granule(setting.training), team.size());
    training::OrderedSum sum(flat.size());
    sum.compute(
        granules, team.rank(), [](int, std::span<float>) {}, flat);
    sum.prepare(granules, team.rank());
    reduction = seconds_of(world, 10, [&] {
      if (setting.reduction == training::Reduction::ordered)
        sum.combine(team.collectives(), flat);
      else
        team.collectives().sum(std::span<float>(flat));
    });
  }
  const double optimize = seconds_of(world, 10, [&] { update(network, optimizer); });
  if (world.is_root())
    std::cout << "step=" << step << " reduction=" << reduction << " agreement=" << agreement
              << " optimizer=" << optimize << " parameters=" << flat.size() << '\n';
}

}  // namespace

int main(int count, char** words) {
  const comm::MpiEnvironment environment(count, words);
  if (count != 10) {
    std::cerr << "usage: benchmark_team CHANNELS LEVELS UNITS EDGE GRANULE BATCH STEPS "
                 "PRECISION REDUCTION\n";
    return 64;
  }
  const auto number = [&](int i) { return std::atoi(words[i]); };
  Setting setting;
  setting.network = {.channels = number(1), .levels = number(2), .residual_units = number(3)};
  setting.training.patch = {number(4), number(4), number(4)};
  setting.training.granule = number(5);
  setting.batch = number(6);
  setting.steps = number(7);
  setting.precision = core::from_string<network::Precision>(words[8]);
  setting.reduction = core::from_string<training::Reduction>(words[9]);
  training::set_up_numerics(1, 0);
  measure(*comm::world_communicator(), setting);
  return 0;
}
