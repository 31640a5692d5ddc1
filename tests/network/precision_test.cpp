#include "proxytune/network/precision.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "proxytune/network/unet.h"
#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/softmax_dice_loss.h"

#include "tests/network/networks.h"

namespace proxytune::network {
namespace {

using torch::Tensor;

/// The networks of configs/*/*.yaml, each once, by the line that describes it.
std::map<std::string, UNetOptions> shipped_networks() {
  const std::regex line(
      R"(channels: (\d+), levels: (\d+), residual_units: (\d+)(?:, norm: (instance|batch))?)");
  std::map<std::string, UNetOptions> networks;
  const std::filesystem::path folder = std::filesystem::path(PROXYTUNE_SOURCE_DIR) / "configs";
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".yaml")
      continue;
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string all = text.str();
    for (std::sregex_iterator found(all.begin(), all.end(), line), end; found != end; ++found)
      networks[(*found)[0]] = {.channels = std::stoi((*found)[1]),
                               .levels = std::stoi((*found)[2]),
                               .residual_units = std::stoi((*found)[3]),
                               .norm = (*found)[4] == "batch" ? Norm::batch : Norm::instance};
  }
  return networks;
}

/// Balls of either class in noise.
struct Problem {
  Tensor images, labels;
};

Problem balls(std::int64_t edge) {
  const Tensor axis = torch::arange(edge, torch::kFloat32) - 0.45 * static_cast<double>(edge);
  const Tensor squares = axis * axis;
  const Tensor distance =
      squares.view({-1, 1, 1}) + squares.view({1, -1, 1}) + squares.view({1, 1, -1});
  const double radius = static_cast<double>(edge) / 3;
  const Tensor inside = distance < radius * radius;
  const Tensor noise =
      test::wave(2 * edge * edge * edge, 0, 1.7).view({2, 1, edge, edge, edge});
  return {(inside + 0.3 * noise).to(torch::kFloat32),
          inside.expand({2, edge, edge, edge}).to(torch::kUInt8)};
}

Tensor gradients(const UNetOptions& options,
                 const Problem& of,
                 Precision precision,
                 double slope) {
  UNet network(options);
  initialise(network, core::RandomKey(3));
  for (const NamedTensor& named : network.state())
    if (named.name.ends_with("A.weight"))
      Tensor(named.tensor).fill_(slope);
  network.set_precision(precision);
  const Tensor logits = network.forward(of.images);
  EXPECT_EQ(logits.scalar_type(), torch::kFloat32);
  ops::softmax_dice_loss(logits, of.labels).backward();
  return network.parameters().gradients;
}

double norm_of(const Tensor& values) {
  return values.norm().item<double>();
}

/// How far bfloat16 takes gradients from float32's: all of them by a part of their norm, a
/// tensor's by a part of its own and of all.
struct Bounds {
  double all = 0;
  double of_its_own = 0;
  double beside = 0;
};

void compare_gradients(double slope, const Bounds& bounds) {
  const Problem of = balls(32);
  const auto networks = shipped_networks();
  ASSERT_GE(networks.size(), 8U);
  for (const auto& [line, options] : networks) {
    SCOPED_TRACE(line);
    const Tensor exact = gradients(options, of, Precision::f32, slope);
    const Tensor close = gradients(options, of, Precision::bf16, slope);
    const std::vector<Segment> segments = UNet(options).parameters().segments;
    const double all = norm_of(exact);
    EXPECT_LE(norm_of(close - exact), bounds.all * all);
    for (const Segment& segment : segments) {
      const Tensor wanted = view(exact, segment);
      EXPECT_LE(norm_of(view(close, segment) - wanted),
                bounds.of_its_own * norm_of(wanted) + bounds.beside * all)
          << segment.name << " " << norm_of(view(close, segment) - wanted) / norm_of(wanted)
          << " of " << norm_of(wanted) / all;
    }
  }
}

// At 32^3 five levels reach 2^3 voxels, where LibTorch's own bfloat16 gradient of a weight is
// garbage. With slopes of 1 the activation has no kink, and what is left is arithmetic.
TEST(PrecisionTest, GivesEveryLayerOfEveryShippedNetworkItsGradientInBfloat16) {
  compare_gradients(1, {.all = 0.01, .of_its_own = 0.03, .beside = 0.0005});
}

// Where rounding moves an activation across 0 it takes the other slope, and a deep layer has
// few voxels to average that over. Rounding nothing but the images does nearly as much.
TEST(PrecisionTest, MovesGradientsByActivationsAcrossTheKink) {
  compare_gradients(0.25, {.all = 0.06, .of_its_own = 0.3, .beside = 0.003});
}

TEST(PrecisionTest, AutomaticIsWhatTheProcessorHas) {
  EXPECT_EQ(resolved(Precision::f32), Precision::f32);
  EXPECT_EQ(resolved(Precision::bf16), Precision::bf16);
  EXPECT_EQ(resolved(Precision::automatic),
            ops::has_bfloat16_products() ? Precision::bf16 : Precision::f32);
}

TEST(PrecisionTest, OfADoubleNetworkIsItsOwn) {
  UNet network(test::proxy_three, torch::kCPU, torch::kFloat64);
  EXPECT_THROW(network.set_precision(Precision::bf16), c10::Error);
}

}  // namespace
}  // namespace proxytune::network
