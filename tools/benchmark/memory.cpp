// Peak resident memory, in MiB over what was there before, that `check` predicts of a trial, or
// that a trial of a few epochs really takes beside its volumes.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>

#include "proxytune/training/trainer.h"
#include "training/peak_memory.h"

#include "tests/training/made_cases.h"

namespace {

using namespace proxytune;

/// Four training cases and two that are validated, cubes of this edge.
double trained(const network::UNetOptions& network,
               const training::TrainingOptions& options,
               network::Precision precision,
               int edge) {
  test::MadeCases cases;
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    test::add_ball(cases, edge, seed);
  const trials::HyperParameters hyper_parameters;
  const training::TrainingTask task{network,
                                    options,
                                    hyper_parameters,
                                    {0, 1, 2, 3},
                                    {4, 5},
                                    core::RandomKey(3),
                                    {},
                                    precision};
  const training::PeakMemory memory;
  const std::atomic<bool> never = false;
  const auto result = training::train(task, cases, never, {}).result;
  if (result.status != trials::TrialStatus::completed)
    std::cerr << result.reason << '\n';
  return memory.bytes();
}

}  // namespace

int main(int count, char** words) {
  if (count != 15) {
    std::cerr << "usage: benchmark_memory predicted|trained CHANNELS LEVELS UNITS NORM "
                 "PATCH_X Y Z WINDOW_X Y Z EPOCHS EDGE PRECISION\n";
    return 64;
  }
  const auto number = [&](int i) { return std::atoi(words[i]); };
  const network::UNetOptions network{.channels = number(2),
                                     .levels = number(3),
                                     .residual_units = number(4),
                                     .norm = core::from_string<network::Norm>(words[5])};
  training::TrainingOptions options;
  options.patch = {number(6), number(7), number(8)};
  options.window = {number(9), number(10), number(11)};
  options.epochs = number(12);
  options.validate_every = 2;
  const auto precision = core::from_string<network::Precision>(words[14]);
  training::set_up_numerics(1, 0, precision);
  if (std::string(words[1]) == "trained")
    std::cout << trained(network, options, precision, number(13)) / (1 << 20) << '\n';
  else
    std::cout << training::measure_step(network,
                                        options,
                                        3,
                                        precision,
                                        static_cast<std::size_t>(std::pow(number(13), 3)))
                         .memory_bytes /
                     (1 << 20)
              << '\n';
  return 0;
}
