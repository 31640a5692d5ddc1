#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <vector>

namespace proxytune::core {

/// Names *what* a random number is for, never who draws it: a chain of words and numbers, e.g.
/// RandomKey(seed).with("crop").with(epoch).with(case_id). Equal chains give equal numbers on
/// any rank, in any order.
class RandomKey {
 public:
  explicit RandomKey(std::uint64_t seed);
  RandomKey with(std::string_view what) const;
  RandomKey with(std::uint64_t which) const;
  /// Numbers that round are no identity.
  template <std::floating_point Number>
  RandomKey with(Number) const = delete;
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_;
};

/// Philox4x32-10 (Salmon et al. 2011), the counter running from 0 under the given key.
/// A C++ UniformRandomBitGenerator, but use the member functions: the standard library's
/// distributions differ between implementations.
class Random {
 public:
  using result_type = std::uint32_t;
  explicit Random(const RandomKey& key);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xffffffffU; }
  result_type operator()();

  /// In [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high);
  /// In [0, count), without bias; std::invalid_argument for count 0.
  std::uint64_t index(std::uint64_t count);
  /// Standard normal (Box-Muller).
  double normal();
  /// A permutation of 0..count-1 (Fisher-Yates); std::invalid_argument for a negative count.
  std::vector<int> permutation(int count);

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// The Philox4x32-10 bijection itself, for vectorised users and for its known-answer test.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

}  // namespace proxytune::core
