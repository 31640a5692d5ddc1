#include <cmath>
#include <unordered_map>

#include "network/architecture.h"
#include "proxytune/core/error.h"
#include "proxytune/network/unet.h"

namespace proxytune::network {
namespace {

torch::Tensor uniform(const std::vector<std::int64_t>& shape,
                      double bound,
                      const core::RandomKey& key) {
  core::Random random(key);
  torch::Tensor numbers = torch::empty(shape, torch::kFloat64);
  double* values = numbers.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i)
    values[i] = random.uniform(-bound, bound);
  return numbers;
}

std::string shape_text(c10::IntArrayRef shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

}  // namespace

void initialise(UNet& network, const core::RandomKey& key) {
  const torch::NoGradGuard no_gradient;
  const std::vector<NamedTensor> state = network.state();
  const std::vector<Entry> entries = state_entries(network.options());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    torch::Tensor tensor = state[i].tensor;
    switch (const Entry& entry = entries[i]; entry.role) {
      case Role::convolution_weight:
      case Role::bias: {
        const double bound = 1 / std::sqrt(static_cast<double>(entry.fan_in));
        tensor.copy_(uniform(entry.shape, bound, key.with(entry.name)));
        break;
      }
      case Role::slope:
        tensor.fill_(0.25);
        break;
      case Role::norm_weight:
      case Role::running_variance:
        tensor.fill_(1);
        break;
      case Role::norm_bias:
      case Role::running_mean:
      case Role::batches_tracked:
        tensor.zero_();
        break;
    }
  }
}

void load_state(UNet& network,
                const std::vector<NamedTensor>& state,
                const std::string& origin) {
  const torch::NoGradGuard no_gradient;
  std::unordered_map<std::string, torch::Tensor> given;
  for (const NamedTensor& named : state)
    given.emplace(named.name, named.tensor);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  const std::vector<NamedTensor> targets = network.state();
  const std::string advice =
      "; these weights belong to another network: check in and out channels, channels, levels, "
      "residual_units and norm.";
  for (const NamedTensor& target : targets) {
    const auto found = given.find(target.name);
    if (found == given.end()) {
      if (target.name.ends_with("num_batches_tracked"))
        continue;
      throw core::DataError(origin + " has no " + target.name + advice);
    }
    if (found->second.sizes() != target.tensor.sizes())
      throw core::DataError(origin + " has " + target.name + " of shape " +
                            shape_text(found->second.sizes()) + " where the network has " +
                            shape_text(target.tensor.sizes()) + advice);
    copies.emplace_back(target.tensor, found->second);
    given.erase(found);
  }
  for (const NamedTensor& named : state)
    if (given.contains(named.name))
      throw core::DataError(origin + " has " + named.name + ", which the network has not" +
                            advice);
  for (auto& [target, source] : copies)
    target.copy_(source);
}

}  // namespace proxytune::network
