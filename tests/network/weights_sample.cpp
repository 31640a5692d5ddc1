// Helper of weights_test.py, which compares what this writes with MONAI:
//
//   weights_sample write CHANNELS LEVELS UNITS NORM WEIGHTS RESULTS
//   weights_sample read CHANNELS LEVELS UNITS NORM WEIGHTS RESULTS
//
// The first initialises a network and saves its WEIGHTS, the second loads WEIGHTS that
// torch.save wrote. RESULTS gets, in the same format, the logits of a fixed input outside
// training in float32 ("logits"), and in float64 those in training ("training") and the
// gradients of sum(training * wave) by parameter. (In float32 a value that rounding moves
// across PReLU's kink may change all gradients below it by 1e-3 of the largest.)
#include <iostream>
#include <string>
#include <vector>

#include "proxytune/network/unet.h"
#include "proxytune/network/weights_file.h"

namespace proxytune::network {
namespace {

torch::Tensor wave(c10::IntArrayRef shape, double step) {
  const auto index = torch::arange(c10::multiply_integers(shape), torch::kFloat64);
  return torch::sin(step * index).view(shape).to(torch::kFloat32);
}

std::vector<NamedTensor> results_of(UNet& network) {
  const torch::Tensor image = wave({1, network.options().in_channels, 32, 32, 32}, 0.37);
  std::vector<NamedTensor> results;
  network.set_training(false);
  {
    const torch::NoGradGuard no_gradient;
    results.push_back({"logits", network.forward(image)});
  }
  UNet exact(network.options(), torch::kCPU, torch::kFloat64);
  load_state(exact, network.state(), "the network");
  const torch::Tensor logits = exact.forward(image.to(torch::kFloat64));
  (logits * wave(logits.sizes(), 0.11)).sum().backward();
  results.push_back({"training", logits.detach()});
  const FlatParameters& flat = exact.parameters();
  for (const Segment& segment : flat.segments)
    results.push_back({segment.name, view(flat.gradients, segment)});
  return results;
}

void write_or_read(const std::vector<std::string>& words) {
  const UNetOptions options{.channels = std::stoi(words[2]),
                            .levels = std::stoi(words[3]),
                            .residual_units = std::stoi(words[4]),
                            .norm = words[5] == "batch" ? Norm::batch : Norm::instance};
  UNet network(options);
  if (words[1] == "write") {
    initialise(network, core::RandomKey(7));
    network.forward(wave({1, 1, 32, 32, 32}, 0.21));  // moves batch norm's running moments
    save_weights(words[6], network.state());
  } else {
    load_state(network, load_weights(words[6]), words[6]);
  }
  save_weights(words[7], results_of(network));
}

}  // namespace
}  // namespace proxytune::network

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments, arguments + count);
  if (words.size() != 8 || (words[1] != "write" && words[1] != "read")) {
    std::cerr
        << "usage: weights_sample write|read CHANNELS LEVELS UNITS NORM WEIGHTS RESULTS\n";
    return 64;
  }
  try {
    torch::set_num_threads(1);
    proxytune::network::write_or_read(words);
  } catch (const std::exception& error) {
    std::cerr << "weights_sample: " << error.what() << '\n';
    return 1;
  }
}
