#pragma once

#include <string>
#include <vector>

#include "proxytune/network/unet.h"

namespace proxytune::network {

/// The data.pkl of torch.save({name: tensor, ...}), protocol 2; tensor i has its elements,
/// contiguous, in record data/i. Throws std::invalid_argument for an element type without a
/// name in Python's torch.
std::string pickle_state(const std::vector<NamedTensor>& state);

/// Element type of a torch.<name> storage class, and the reverse.
torch::ScalarType type_of_storage(const std::string& storage_class);
std::string storage_of_type(torch::ScalarType type);

}  // namespace proxytune::network
