// Our convolutions beside LibTorch's, layer by layer: the measurements behind the rule of
// src/ops/convolution.cpp. Prints RATIO lines, milliseconds a patch.
#include "proxytune/ops/convolution.h"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/instance_norm_prelu.h"
#include "proxytune/training/trainer.h"

namespace {

using namespace proxytune;
using torch::Tensor;

struct Layer {
  std::int64_t in, out, edge;
  int stride = 1;
  bool transposed = false;
};

double fastest(int steps, const std::function<void()>& call) {
  call();
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best * 1e3;
}

struct Times {
  double forward, input, weight;
};

/// Batch of one: a patch.
Times times(const Layer& layer,
            torch::ScalarType type,
            ops::ConvolutionKernels kernels,
            int steps) {
  const std::int64_t first = layer.transposed ? layer.in : layer.out;
  const std::int64_t second = layer.transposed ? layer.out : layer.in;
  const Tensor x =
      ops::channels_last(torch::rand({1, layer.in, layer.edge, layer.edge, layer.edge}))
          .to(type);
  const Tensor w = torch::rand({first, second, 3, 3, 3}) - 0.5;
  const ops::ConvolutionOptions options{layer.stride, layer.transposed, type, kernels};
  const auto forward = [&] {
    const torch::NoGradGuard without;
    return ops::convolution(x, w, std::nullopt, options);
  };
  const Tensor g = torch::rand(forward().sizes()).to(type);
  const Tensor gradient = ops::channels_last(g);
  const auto backward = [&](bool of_input, bool of_weight) {
    static const auto operation =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("proxytune::convolution_backward", "")
            .typed<std::tuple<Tensor, Tensor, Tensor>(const Tensor&,
                                                      const Tensor&,
                                                      const Tensor&,
                                                      std::int64_t,
                                                      bool,
                                                      std::array<bool, 3>,
                                                      std::int64_t)>();
    operation.call(gradient,
                   x,
                   w,
                   layer.stride,
                   layer.transposed,
                   {of_input, of_weight, false},
                   static_cast<std::int64_t>(kernels));
  };
  return {fastest(steps, forward),
          fastest(steps, [&] { backward(true, false); }),
          fastest(steps, [&] { backward(false, true); })};
}

void compare(const Layer& layer,
             torch::ScalarType type,
             ops::ConvolutionKernels own,
             int steps) {
  const Times ours = times(layer, type, own, steps);
  const Times theirs = times(layer, type, ops::ConvolutionKernels::library, steps);
  const std::string name =
      std::to_string(layer.in) + "_" + std::to_string(layer.out) + "_at_" +
      std::to_string(layer.edge) +
      (layer.transposed    ? "_transposed"
       : layer.stride == 2 ? "_stride2"
                           : "") +
      (type == torch::kBFloat16 ? "_bf16" : "_f32") +
      (own == ops::ConvolutionKernels::own_bfloat16 ? "_computed_in_bf16" : "");
  const auto line = [&](const char* what, double a, double b) {
    std::cout << "RATIO name=" << name << '_' << what << " peer=libtorch ours=" << a
              << " theirs=" << b << " unit=ms/patch ratio=" << b / a << std::endl;
  };
  line("forward", ours.forward, theirs.forward);
  line("backward_data", ours.input, theirs.input);
  line("backward_weight", ours.weight, theirs.weight);
}

}  // namespace

int main(int count, char** words) {
  const int steps = count > 1 ? std::atoi(words[1]) : 5;
  training::set_up_numerics(1, 0);
  using ops::ConvolutionKernels;
  for (const Layer& layer : {Layer{2, 2, 96},
                             Layer{4, 4, 48},
                             Layer{8, 8, 24},
                             Layer{8, 2, 48, 2, true},
                             Layer{16, 4, 24, 2, true},
                             Layer{32, 8, 12, 2, true},
                             Layer{32, 2, 48, 2, true},
                             Layer{1, 4, 96, 2},
                             Layer{1, 16, 96, 2},
                             Layer{4, 8, 48, 2},
                             Layer{8, 16, 24, 2}}) {
    compare(layer, torch::kFloat32, ConvolutionKernels::own_float32, steps);
    compare(layer, torch::kBFloat16, ConvolutionKernels::own_float32, steps);
    if (ops::has_bfloat16_products())
      compare(layer, torch::kBFloat16, ConvolutionKernels::own_bfloat16, steps);
  }
}
