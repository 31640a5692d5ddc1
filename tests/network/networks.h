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

/// Uniform in [-1, 1), the same numbers as network_sizes_reference.py's: splitmix64.
inline torch::Tensor noise(std::int64_t count, int seed, int row) {
  torch::Tensor numbers = torch::empty({count}, torch::kFloat64);
  double* const values = numbers.mutable_data_ptr<double>();
  const std::uint64_t start =
      (static_cast<std::uint64_t>(seed) * 4096 + static_cast<std::uint64_t>(row)) *
      0xD1342543DE82EF95ULL;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t z = start + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    z ^= z >> 31U;
    values[i] = static_cast<double>(z >> 11U) * 0x1p-52 - 1;
  }
  return numbers;
}

}  // namespace proxytune::network::test
