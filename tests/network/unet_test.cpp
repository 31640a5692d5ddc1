#include "proxytune/network/unet.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"

#include "tests/network/networks.h"

namespace proxytune::network {
namespace {

using test::full;
using test::proxy_five;
using test::proxy_four;
using test::proxy_three;
using test::sentence_of;
using test::wave;
using test::with_batch_norm;
using ::testing::HasSubstr;
using torch::Tensor;

TEST(UNetTest, HasTheParametersOfMonais) {
  EXPECT_EQ(parameter_count(full), 4806481);
  EXPECT_EQ(parameter_count(with_batch_norm(full)), 4808917);
  EXPECT_EQ(parameter_count(proxy_five), 153892);
  EXPECT_EQ(parameter_count(with_batch_norm(proxy_five)), 154256);
  EXPECT_EQ(parameter_count(proxy_four), 38145);
  EXPECT_EQ(parameter_count(with_batch_norm(proxy_four)), 38317);
  EXPECT_EQ(parameter_count(proxy_three), 9166);
  EXPECT_EQ(parameter_count(with_batch_norm(proxy_three)), 9242);
  UNetOptions one_unit = full;
  one_unit.residual_units = 1;
  EXPECT_EQ(parameter_count(one_unit), 2448988);
  EXPECT_EQ(UNet(proxy_five).parameters().values.numel(), 153892);
}

TEST(UNetTest, NamesItsStateAsMonaiDoes) {
  std::vector<std::string> keys;
  for (const NamedTensor& named : UNet(proxy_three).state())
    keys.push_back(named.name);
  EXPECT_EQ(keys,
            (std::vector<std::string>{
                "model.0.conv.unit0.conv.weight",
                "model.0.conv.unit0.conv.bias",
                "model.0.conv.unit0.adn.A.weight",
                "model.0.residual.weight",
                "model.0.residual.bias",
                "model.1.submodule.0.conv.unit0.conv.weight",
                "model.1.submodule.0.conv.unit0.conv.bias",
                "model.1.submodule.0.conv.unit0.adn.A.weight",
                "model.1.submodule.0.residual.weight",
                "model.1.submodule.0.residual.bias",
                "model.1.submodule.1.submodule.conv.unit0.conv.weight",
                "model.1.submodule.1.submodule.conv.unit0.conv.bias",
                "model.1.submodule.1.submodule.conv.unit0.adn.A.weight",
                "model.1.submodule.1.submodule.residual.weight",
                "model.1.submodule.1.submodule.residual.bias",
                "model.1.submodule.2.0.conv.weight",
                "model.1.submodule.2.0.conv.bias",
                "model.1.submodule.2.0.adn.A.weight",
                "model.1.submodule.2.1.conv.unit0.conv.weight",
                "model.1.submodule.2.1.conv.unit0.conv.bias",
                "model.1.submodule.2.1.conv.unit0.adn.A.weight",
                "model.2.0.conv.weight",
                "model.2.0.conv.bias",
                "model.2.0.adn.A.weight",
                "model.2.1.conv.unit0.conv.weight",
                "model.2.1.conv.unit0.conv.bias",
            }));
}

TEST(UNetTest, BackwardAddsIntoTheFlatGradientsInPlace) {
  UNet network(proxy_three);
  initialise(network, core::RandomKey(3));
  const FlatParameters& flat = network.parameters();
  const void* memory = flat.gradients.const_data_ptr();
  const auto backward = [&] {
    network.forward(torch::ones({1, 1, 8, 8, 12})).sum().backward();
  };
  backward();
  const Tensor once = flat.gradients.clone();
  EXPECT_GT(once.abs().max().item<float>(), 0.0F);
  backward();
  EXPECT_EQ(flat.gradients.const_data_ptr(), memory);
  EXPECT_TRUE(torch::allclose(flat.gradients, 2 * once));
  flat.gradients.zero_();
  backward();
  EXPECT_TRUE(torch::equal(flat.gradients, once));
}

TEST(UNetTest, BackwardReplacesTheFlatGradientsByWhatAutogradWouldAdd) {
  UNet network(proxy_three);
  initialise(network, core::RandomKey(1));
  const Tensor images = wave(2 * 512, 0, 0.3).view({2, 1, 8, 8, 8}).to(torch::kFloat32);
  const Tensor& flat = network.parameters().gradients;
  network.forward(images).square().sum().backward();
  const Tensor added = flat.clone();
  flat.fill_(7);
  network.backward(network.forward(images).square().sum());
  EXPECT_TRUE(torch::equal(flat, added));
}

TEST(UNetTest, LogOddsAreTheDifferenceOfTheLogitsWithTheirGradients) {
  for (const UNetOptions& options : {proxy_three, with_batch_norm(proxy_three)}) {
    UNet network(options, torch::kCPU, torch::kFloat64);
    initialise(network, core::RandomKey(3));
    const Tensor image = wave(2 * 8 * 8 * 12, 0, 0.3).view({2, 1, 8, 8, 12});
    const Tensor weights = wave(2 * 8 * 8 * 12, 0, 0.7).view({2, 1, 8, 8, 12});
    const auto gradients_of = [&](const Tensor& odds) {
      network.parameters().gradients.zero_();
      (odds * weights).sum().backward();
      return network.parameters().gradients.clone();
    };
    const Tensor logits = network.forward(image);
    const Tensor wanted = logits.narrow(1, 1, 1) - logits.narrow(1, 0, 1);
    const Tensor got = network.log_odds(image);
    EXPECT_TRUE(torch::allclose(got, wanted, 1e-10, 1e-12));
    EXPECT_TRUE(torch::allclose(gradients_of(got), gradients_of(wanted), 1e-9, 1e-10));
  }
}

TEST(UNetTest, LogOddsAreOfTwoClassesOnly) {
  UNetOptions three_classes = proxy_three;
  three_classes.out_channels = 3;
  EXPECT_THROW(UNet(three_classes).log_odds(torch::zeros({1, 1, 8, 8, 8})), c10::Error);
}

TEST(UNetTest, FlatValuesAreTheNetworksWeights) {
  UNet network(proxy_three);
  initialise(network, core::RandomKey(3));
  const Tensor image = wave(8 * 8 * 12, 0, 0.3).view({1, 1, 8, 8, 12}).to(torch::kFloat32);
  const Tensor before = network.forward(image).detach();
  {
    const torch::NoGradGuard no_gradient;
    network.parameters().values.mul_(0.5);
  }
  EXPECT_FALSE(torch::allclose(network.forward(image).detach(), before));
}

TEST(UNetTest, BatchNormUsesRunningMomentsOutsideTraining) {
  UNet network(with_batch_norm(proxy_three));
  initialise(network, core::RandomKey(3));
  const Tensor image = wave(2 * 8 * 8 * 8, 0, 0.3).view({2, 1, 8, 8, 8}).to(torch::kFloat32);
  network.forward(image);
  network.set_training(false);
  const std::vector<NamedTensor> state = network.state();
  const auto tracked = std::find_if(state.begin(), state.end(), [](const NamedTensor& named) {
    return named.name.ends_with("num_batches_tracked");
  });
  EXPECT_EQ(tracked->tensor.item<std::int64_t>(), 1);
  // Without the batch's moments an image does not depend on its neighbours.
  EXPECT_TRUE(torch::allclose(
      network.forward(image)[0], network.forward(image.narrow(0, 0, 1))[0], 1e-4, 1e-5));
  EXPECT_EQ(tracked->tensor.item<std::int64_t>(), 1);
}

TEST(InitialiseTest, FillsTheBoundsOfPyTorchsDefault) {
  UNet network(proxy_five);
  initialise(network, core::RandomKey(11));
  for (const NamedTensor& named : network.state()) {
    if (named.name.ends_with("A.weight")) {
      EXPECT_EQ(named.tensor.item<float>(), 0.25F);
      continue;
    }
    if (named.tensor.numel() < 4000)
      continue;
    const double bound =
        1 / std::sqrt(static_cast<double>(named.tensor.size(1) * named.tensor[0][0].numel()));
    const double largest = named.tensor.abs().max().item<double>();
    EXPECT_LE(largest, bound) << named.name;
    EXPECT_GT(largest, 0.99 * bound) << named.name;
    EXPECT_NEAR(named.tensor.var().item<double>(), bound * bound / 3, 0.06 * bound * bound)
        << named.name;
  }
}

TEST(InitialiseTest, DependsOnTheKeyAlone) {
  UNet first(proxy_three);
  UNet second(proxy_three);
  UNet third(proxy_three);
  initialise(first, core::RandomKey(11));
  initialise(second, core::RandomKey(11));
  initialise(third, core::RandomKey(12));
  EXPECT_TRUE(torch::equal(first.parameters().values, second.parameters().values));
  EXPECT_FALSE(torch::equal(first.parameters().values, third.parameters().values));
}

TEST(CheckPatchTest, SaysWhatWouldFit) {
  EXPECT_NO_THROW(check_patch(full, {16, 16, 32}, "training.patch"));
  EXPECT_EQ(
      sentence_of<core::ConfigurationError>([] {
        check_patch(full, {32, 32, 40}, "training.patch");
      }),
      "training.patch is [40, 32, 32], but a network of 5 levels halves the grid 4 times: "
      "use multiples of 16, or fewer levels.");
  EXPECT_THAT(sentence_of<core::ConfigurationError>([] {
                check_patch(full, {16, 16, 16}, "training.window");
              }),
              HasSubstr("training.window is [16, 16, 16], which leaves a single voxel"));
  EXPECT_NO_THROW(check_patch(with_batch_norm(full), {16, 16, 16}, "training.patch"));
  EXPECT_THROW(check_patch(proxy_three, {0, 8, 8}, "training.patch"), core::ConfigurationError);
}

TEST(UNetOptionsTest, RefusesWhatCannotWork) {
  EXPECT_EQ(
      sentence_of<core::FieldError>([] { validate({.levels = 1}); }),
      "levels is 1, but a U-Net has a level and a bottom, and each level halves the grid. "
      "Use 2 to 8.");
  EXPECT_THROW(validate({.channels = 0}), core::FieldError);
  EXPECT_THROW(validate({.residual_units = 0}), core::FieldError);
  EXPECT_EQ(divisor(full), 16);
  EXPECT_EQ(divisor(proxy_three), 4);
}

}  // namespace
}  // namespace proxytune::network
