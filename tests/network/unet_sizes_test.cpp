#include <cmath>
#include <utility>

#include <gtest/gtest.h>

#include "proxytune/network/unet.h"

#include "tests/network/networks.h"
#include "tests/reference/network_sizes_reference.h"

// Every size of network with either norm: in double beside MONAI's numbers, in float beside
// our own in double, element by element.

namespace proxytune::network {
namespace reference {

void PrintTo(const SizedCase& tested, std::ostream* out) {
  *out << tested.name;
}

}  // namespace reference
namespace {

using test::noise;
using torch::Tensor;

constexpr int image_row = 1000;
constexpr int coefficient_row = 1001;
constexpr int first_row = 2000;

Tensor rounded(const Tensor& values) {
  return values.to(torch::kFloat32).to(torch::kFloat64);
}

/// The weights of network_sizes_reference.py.
void fill(UNet& network, int seed) {
  const torch::NoGradGuard no_gradient;
  int row = 0;
  double bound = 0;
  for (const Segment& segment : network.parameters().segments) {
    Tensor values = noise(segment.length, seed, row++).view(segment.shape);
    if (segment.name.ends_with("A.weight")) {
      values = 0.25 + 0.1 * values;
    } else if (segment.name.ends_with("N.weight")) {
      values = 1 + 0.2 * values;
    } else if (segment.name.ends_with("N.bias")) {
      values = 0.2 * values;
    } else {
      if (segment.shape.size() == 5)  // its bias comes next and has the same bound
        bound = 1 / std::sqrt(static_cast<double>(segment.shape[1] * segment.shape[2] *
                                                  segment.shape[3] * segment.shape[4]));
      values = bound * values;
    }
    view(network.parameters().values, segment).copy_(rounded(values));
  }
}

struct Step {
  Tensor logits;
  std::vector<NamedTensor> gradients;
  std::vector<NamedTensor> moments;  // batch norm's running ones
  double largest_gradient = 0;
};

Step step_of(const reference::SizedCase& wanted, torch::ScalarType type) {
  UNet network({.channels = wanted.channels,
                .levels = wanted.levels,
                .residual_units = wanted.units,
                .norm = wanted.batch_norm ? Norm::batch : Norm::instance},
               torch::kCPU,
               type);
  fill(network, wanted.seed);
  const std::vector<std::int64_t> extents{wanted.batch, 1, wanted.z, wanted.y, wanted.x};
  const Tensor image =
      noise(c10::multiply_integers(extents), wanted.seed, image_row).view(extents);
  const Tensor logits = network.forward(rounded(image).to(type));
  const Tensor coefficients =
      rounded(noise(logits.numel(), wanted.seed, coefficient_row)).view(logits.sizes());
  (logits * coefficients.to(type)).sum().backward();
  const FlatParameters& flat = network.parameters();
  Step step{logits.detach().contiguous().to(torch::kFloat64), {}, {}, 0};
  for (const Segment& segment : flat.segments)
    step.gradients.push_back(
        {segment.name, view(flat.gradients, segment).contiguous().to(torch::kFloat64)});
  for (const NamedTensor& named : network.state())
    if (named.name.find("running") != std::string::npos)
      step.moments.push_back({named.name, named.tensor.to(torch::kFloat64)});
  step.largest_gradient = flat.gradients.abs().max().item<double>();
  return step;
}

/// Tensors in the reference's order, each with what its errors are measured by: gradients by
/// the network's largest one, other tensors by their own largest.
std::vector<std::pair<NamedTensor, double>> measured(const Step& step) {
  std::vector<std::pair<NamedTensor, double>> all{
      {{"logits", step.logits}, step.logits.abs().max().item<double>()}};
  for (const NamedTensor& gradient : step.gradients)
    all.push_back({gradient, step.largest_gradient});
  for (const NamedTensor& moment : step.moments)
    all.push_back({moment, moment.tensor.abs().max().item<double>()});
  return all;
}

/// Every element within `allowed`: then norm and products with noise are within this many
/// times its root of n, more than three standard deviations of independent errors.
void expect_summary(const Tensor& tensor, const reference::Summary& summary, double allowed) {
  const Tensor values = tensor.reshape(-1);
  const std::int64_t n = values.numel();
  const double of_all = 2 * allowed * std::sqrt(static_cast<double>(n));
  const auto product = [&](int row) {
    return (values * noise(n, 0, first_row + row)).sum().item<double>();
  };
  EXPECT_NEAR(values.norm().item<double>(), summary.norm, of_all) << summary.name;
  EXPECT_NEAR(product(0), summary.first_row, of_all) << summary.name;
  EXPECT_NEAR(product(1), summary.second_row, of_all) << summary.name;
  EXPECT_NEAR(values[0].item<double>(), summary.first, allowed) << summary.name;
  EXPECT_NEAR(values[n / 2].item<double>(), summary.middle, allowed) << summary.name;
  EXPECT_NEAR(values[-1].item<double>(), summary.last, allowed) << summary.name;
}

class UNetSizesTest : public ::testing::TestWithParam<reference::SizedCase> {};

TEST_P(UNetSizesTest, GivesMonaisLogitsGradientsAndMomentsInDouble) {
  const auto tensors = measured(step_of(GetParam(), torch::kFloat64));
  ASSERT_EQ(tensors.size(), GetParam().summaries.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [named, scale] = tensors[i];
    ASSERT_EQ(named.name, GetParam().summaries[i].name);
    expect_summary(named.tensor, GetParam().summaries[i], 1e-10 * scale);
  }
}

TEST_P(UNetSizesTest, RoundsInFloatByLessThanAHundredThousandth) {
  const auto exact = measured(step_of(GetParam(), torch::kFloat64));
  const auto single = measured(step_of(GetParam(), torch::kFloat32));
  double worst = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto& [named, scale] = exact[i];
    const double error =
        (single[i].first.tensor - named.tensor).abs().max().item<double>() / scale;
    EXPECT_LT(error, 1e-5) << named.name;
    worst = std::max(worst, error);
  }
  RecordProperty("largest_error", ::testing::PrintToString(worst));
}

INSTANTIATE_TEST_SUITE_P(Of,
                         UNetSizesTest,
                         ::testing::ValuesIn(reference::sized_cases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace proxytune::network
