#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "proxytune/network/unet.h"

#include "tests/network/networks.h"
#include "tests/reference/network_reference.h"

// The network's numbers beside MONAI's.

namespace proxytune::network {
namespace {

using test::wave;
using torch::Tensor;

/// The weights of tests/reference/network_reference.py.
void fill(UNet& network) {
  const torch::NoGradGuard no_gradient;
  int index = 0;
  for (const Segment& segment : network.parameters().segments) {
    Tensor values = 0.2 * wave(segment.length, index++, 0.7).view(segment.shape);
    if (segment.name.ends_with("A.weight"))
      values = 0.25 + 0.25 * values;
    if (segment.name.ends_with("N.weight"))
      values = 1 + values;
    view(network.parameters().values, segment).copy_(values);
  }
}

UNetOptions options_of(const reference::Case& wanted) {
  return {wanted.in,
          wanted.out,
          wanted.channels,
          wanted.levels,
          wanted.units,
          wanted.batch_norm ? Norm::batch : Norm::instance};
}

/// Forward and backward as network_reference.py does them; returns the logits.
Tensor step(const UNet& network, const reference::Case& wanted, torch::ScalarType type) {
  const Tensor image = wave(wanted.batch * wanted.in * wanted.z * wanted.y * wanted.x, 0, 0.37)
                           .view({wanted.batch, wanted.in, wanted.z, wanted.y, wanted.x});
  const Tensor logits = network.forward(image.to(type));
  (logits * wave(logits.numel(), 0, 0.11).view(logits.sizes()).to(type)).sum().backward();
  return logits.detach();
}

/// The tensor's five numbers, each element within `allowed`; the norm of n such errors grows
/// with sqrt(n), and so does their sum as far as they are independent.
void expect_sample(const Tensor& tensor, const reference::Sample& sample, double allowed) {
  const Tensor values = tensor.contiguous().to(torch::kFloat64).view(-1);
  const double of_all = allowed * std::sqrt(static_cast<double>(values.numel()));
  EXPECT_NEAR(values.sum().item<double>(), sample.sum, 3 * of_all) << sample.name;
  EXPECT_NEAR(values.norm().item<double>(), sample.norm, of_all) << sample.name;
  EXPECT_NEAR(values[0].item<double>(), sample.first, allowed) << sample.name;
  EXPECT_NEAR(values[values.numel() / 2].item<double>(), sample.middle, allowed) << sample.name;
  EXPECT_NEAR(values[-1].item<double>(), sample.last, allowed) << sample.name;
}

/// Gradients to `tolerance` of the network's largest one, other tensors of their own largest.
void expect_reference(const reference::Case& wanted, torch::ScalarType type, double tolerance) {
  SCOPED_TRACE(wanted.name);
  UNet network(options_of(wanted), torch::kCPU, type);
  fill(network);
  const Tensor logits = step(network, wanted, type);
  const FlatParameters& flat = network.parameters();
  const double largest = flat.gradients.abs().max().item<double>();
  std::map<std::string, Tensor> tensors{{"logits", logits}};
  for (const NamedTensor& named : network.state())
    if (named.name.find("running") != std::string::npos)
      tensors[named.name] = named.tensor;
  for (const Segment& segment : flat.segments)
    tensors[segment.name] = view(flat.gradients, segment);
  ASSERT_EQ(tensors.size(), wanted.samples.size());
  for (const reference::Sample& sample : wanted.samples) {
    const Tensor& tensor = tensors.at(sample.name);
    const bool gradient =
        sample.name != "logits" && sample.name.find("running") == std::string::npos;
    expect_sample(
        tensor, sample, tolerance * (gradient ? largest : tensor.abs().max().item<double>()));
  }
}

TEST(UNetReferenceTest, GivesMonaisLogitsAndGradientsInDouble) {
  for (const reference::Case& wanted : reference::cases)
    expect_reference(wanted, torch::kFloat64, 1e-10);
}

// MONAI's own float32 gradients are up to 1.3e-6 of the largest from its float64 ones in the
// first two cases, 0.9e-5 under batch norm and 1.9e-5 in five levels.
TEST(UNetReferenceTest, GivesMonaisLogitsAndGradientsInFloat) {
  for (const reference::Case& wanted : reference::cases)
    expect_reference(
        wanted, torch::kFloat32, wanted.batch_norm || wanted.levels == 5 ? 3e-5 : 1e-5);
}

}  // namespace
}  // namespace proxytune::network
