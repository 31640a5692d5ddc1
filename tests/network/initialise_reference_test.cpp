#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "proxytune/network/unet.h"

#include "tests/reference/initialisation_reference.h"

// How fresh networks are filled, beside MONAI's.

namespace proxytune::network {
namespace reference {

void PrintTo(const InitialNetwork& tested, std::ostream* out) {
  *out << tested.name;
}

}  // namespace reference
namespace {

UNetOptions options_of(const reference::InitialNetwork& wanted, Norm norm) {
  return {.channels = wanted.channels,
          .levels = wanted.levels,
          .residual_units = wanted.units,
          .norm = norm};
}

/// The values of every parameter of some fresh networks, by name.
std::map<std::string, std::vector<double>> fresh_values(const UNetOptions& options,
                                                        int networks) {
  std::map<std::string, std::vector<double>> values;
  UNet network(options);
  for (int i = 0; i < networks; ++i) {
    initialise(network, core::RandomKey(100).with(static_cast<std::uint64_t>(i)));
    for (const Segment& segment : network.parameters().segments) {
      const torch::Tensor flat =
          network.parameters().values.narrow(0, segment.offset, segment.length);
      const float* const first = flat.const_data_ptr<float>();
      std::vector<double>& all = values[segment.name];
      all.insert(all.end(), first, first + segment.length);
    }
  }
  return values;
}

/// Kolmogorov and Smirnov's distance from the uniform distribution on [-bound, bound], times
/// the root of their number: below 1.95 in 999 of 1000 samples, below 2.2 in 9999 of 10000.
double distance_from_uniform(std::vector<double> values, double bound) {
  std::ranges::sort(values);
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double share = (values[i] / bound + 1) / 2;
    distance = std::max(
        {distance, share - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - share});
  }
  return distance * std::sqrt(n);
}

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values)
    largest = std::max(largest, std::abs(value));
  return largest;
}

class InitialiseReferenceTest : public ::testing::TestWithParam<reference::InitialNetwork> {};

TEST_P(InitialiseReferenceTest, DrawsEveryParameterAsMonaiDoes) {
  const int networks = GetParam().channels > 4 ? 2 : 40;
  const auto values = fresh_values(options_of(GetParam(), Norm::batch), networks);
  ASSERT_EQ(values.size(), GetParam().parameters.size());
  std::vector<double> all;
  for (const reference::Initial& wanted : GetParam().parameters) {
    SCOPED_TRACE(wanted.name);
    const std::vector<double>& ours = values.at(wanted.name);
    if (!wanted.uniform) {
      EXPECT_EQ(std::ranges::count(ours, wanted.value),
                static_cast<std::ptrdiff_t>(ours.size()));
      continue;
    }
    // The largest of n lies this close to the bound but once in a million times.
    const auto n = static_cast<double>(ours.size());
    EXPECT_LE(largest_of(ours), wanted.value * (1 + 1e-6));
    EXPECT_GT(largest_of(ours), wanted.value * std::pow(1e-6, 1 / n));
    EXPECT_LT(distance_from_uniform(ours, wanted.value), 2.2);
    for (const double value : ours)
      all.push_back(value / wanted.value);
  }
  EXPECT_LT(distance_from_uniform(all, 1), 1.95);
}

TEST_P(InitialiseReferenceTest, DoesNotDependOnTheNorm) {
  const auto batch = fresh_values(options_of(GetParam(), Norm::batch), 1);
  for (const auto& [name, values] : fresh_values(options_of(GetParam(), Norm::instance), 1))
    EXPECT_TRUE(values == batch.at(name)) << name;
}

INSTANTIATE_TEST_SUITE_P(Of,
                         InitialiseReferenceTest,
                         ::testing::ValuesIn(reference::initial_networks),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace proxytune::network
