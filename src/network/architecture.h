#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxytune/network/unet_options.h"

// No LibTorch here.
namespace proxytune::network {

enum class Role {
  convolution_weight,
  bias,  // of a convolution
  norm_weight,
  norm_bias,
  running_mean,
  running_variance,
  batches_tracked,
  slope,  // of a PReLU
};

constexpr bool is_parameter(Role role) {
  return role != Role::running_mean && role != Role::running_variance &&
         role != Role::batches_tracked;
}

/// One entry of the network's state_dict.
struct Entry {
  std::string name;
  std::vector<std::int64_t> shape;
  Role role;
  std::int64_t fan_in = 0;  // of convolutions: size(1) of the weight times the kernel's voxels
};

/// MONAI's names and order (monai.networks.nets.UNet, 1.6.1).
std::vector<Entry> state_entries(const UNetOptions& options);

/// Name of level i's part of the network: "model." and "1.submodule." i times.
std::string level_prefix(int level);

/// Channels of level i.
std::int64_t channels_at(const UNetOptions& options, int level);

}  // namespace proxytune::network
