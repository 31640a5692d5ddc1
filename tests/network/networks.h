#pragma once

#include <string>

#include "proxytune/network/unet.h"

namespace proxytune::network::test {

inline const UNetOptions full{};
inline const UNetOptions proxy_five{.channels = 4, .levels = 5, .residual_units = 1};
inline const UNetOptions proxy_four{.channels = 4, .levels = 4, .residual_units = 1};
inline const UNetOptions proxy_three{.channels = 4, .levels = 3, .residual_units = 1};

inline UNetOptions with_batch_norm(UNetOptions options) {
  options.norm = Norm::batch;
  return options;
}

/// The sentence of the Error that `call` throws.
template <class Error, class Call>
std::string sentence_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// sin(first + step * i), for i from 0 to count.
inline torch::Tensor wave(std::int64_t count, double first, double step) {
  return torch::sin(first + step * torch::arange(count, torch::kFloat64));
}

}  // namespace proxytune::network::test
