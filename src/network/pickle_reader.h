#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proxytune::network {

/// A tensor as a pickle describes it; its elements are in record data/<record>.
struct PickledTensor {
  std::string name;
  std::string storage_class;
  std::string record;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

/// Reads the data.pkl of a dict or OrderedDict from names to tensors (or parameters), of any
/// pickle protocol. Only what such files contain is understood, and nothing is executed:
/// anything else throws std::invalid_argument.
std::vector<PickledTensor> read_pickled_state(std::string_view bytes);

}  // namespace proxytune::network
