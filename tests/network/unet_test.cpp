#include "proxytune/network/unet.h"

#include <cmath>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/core/error.h"
#include "proxytune/network/weights_file.h"

#include "tests/reference/network_reference.h"

namespace proxytune::network {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

const UNetOptions full{};
const UNetOptions proxy_five{.channels = 4, .levels = 5, .residual_units = 1};
const UNetOptions proxy_four{.channels = 4, .levels = 4, .residual_units = 1};
const UNetOptions proxy_three{.channels = 4, .levels = 3, .residual_units = 1};

UNetOptions with_batch_norm(UNetOptions options) {
  options.norm = Norm::batch;
  return options;
}

template <class Error, class Call>
std::string sentence_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

Tensor wave(std::int64_t count, double first, double step) {
  return torch::sin(first + step * torch::arange(count, torch::kFloat64));
}

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

TEST(UNetTest, GivesMonaisLogitsAndGradientsInDouble) {
  for (const reference::Case& wanted : reference::cases)
    expect_reference(wanted, torch::kFloat64, 1e-10);
}

// MONAI's own float32 gradients are up to 1.3e-6 of the largest from its float64 ones in the
// first two cases, 0.9e-5 under batch norm and 1.9e-5 in five levels.
TEST(UNetTest, GivesMonaisLogitsAndGradientsInFloat) {
  for (const reference::Case& wanted : reference::cases)
    expect_reference(
        wanted, torch::kFloat32, wanted.batch_norm || wanted.levels == 5 ? 3e-5 : 1e-5);
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

class WeightsFileTest : public ::testing::Test {
 protected:
  WeightsFileTest() { std::filesystem::create_directories(folder_); }
  ~WeightsFileTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("weights_file_test_" + std::to_string(::getpid()));
};

TEST_F(WeightsFileTest, BringsBackWhatWasSaved) {
  UNet saved(with_batch_norm(proxy_three));
  initialise(saved, core::RandomKey(1));
  saved.forward(wave(2 * 512, 0, 0.3).view({2, 1, 8, 8, 8}).to(torch::kFloat32));
  save_weights(path("weights.pt"), saved.state());
  UNet loaded(with_batch_norm(proxy_three));
  load_state(loaded, load_weights(path("weights.pt")), "weights.pt");
  const std::vector<NamedTensor> before = saved.state();
  const std::vector<NamedTensor> after = loaded.state();
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(torch::equal(before[i].tensor, after[i].tensor)) << before[i].name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("").parent_path()), {}), 1);
}

TEST_F(WeightsFileTest, IsNotLeftWhereItCannotBeWritten) {
  EXPECT_THROW(save_weights(path("missing/weights.pt"), UNet(proxy_three).state()),
               core::SystemError);
}

TEST_F(WeightsFileTest, RefusesWhatIsNoWeightsFile) {
  const auto sentence = [&](const std::string& name) {
    return sentence_of<core::DataError>([&] { load_weights(path(name)); });
  };
  EXPECT_THAT(sentence("none.pt"), HasSubstr("is missing"));
  std::ofstream(path("text.pt")) << "no archive";
  EXPECT_THAT(sentence("text.pt"), HasSubstr("text.pt cannot be read"));
  save_weights(path("whole.pt"), UNet(proxy_three).state());
  const auto size = std::filesystem::file_size(path("whole.pt"));
  std::filesystem::copy_file(path("whole.pt"), path("torn.pt"));
  std::filesystem::resize_file(path("torn.pt"), size / 2);
  EXPECT_THAT(sentence("torn.pt"), HasSubstr("torn.pt cannot be read"));
}

TEST_F(WeightsFileTest, RefusesTheWeightsOfAnotherNetwork) {
  const auto sentence = [](const UNetOptions& of, const UNetOptions& into) {
    return sentence_of<core::DataError>([&] {
      UNet network(into);
      load_state(network, UNet(of).state(), "start.pt");
    });
  };
  EXPECT_THAT(sentence(proxy_three, with_batch_norm(proxy_three)),
              HasSubstr("start.pt has no model.0.conv.unit0.adn.N.weight"));
  EXPECT_THAT(sentence(with_batch_norm(proxy_three), proxy_three),
              HasSubstr("which the network has not"));
  UNetOptions three_classes = proxy_three;
  three_classes.out_channels = 3;
  EXPECT_THAT(sentence(three_classes, proxy_three),
              HasSubstr("start.pt has model.2.0.conv.weight of shape (8, 3, 3, 3, 3) where the "
                        "network has (8, 2, 3, 3, 3)"));
}

TEST(LoadStateTest, TakesFilesWithoutCountsOfBatches) {
  UNet network(with_batch_norm(proxy_three));
  std::vector<NamedTensor> state = network.state();
  std::erase_if(state, [](const NamedTensor& named) {
    return named.name.ends_with("num_batches_tracked");
  });
  EXPECT_NO_THROW(load_state(network, state, "start.pt"));
}

}  // namespace
}  // namespace proxytune::network
