#include "proxytune/core/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "proxytune/core/hash.h"

namespace proxytune::core {
namespace {

/// SplitMix64's finaliser: a bijection that mixes all 64 bits.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

RandomKey::RandomKey(std::uint64_t seed) : value_(mix(seed)) {}

RandomKey RandomKey::with(std::string_view what) const {
  // Words and numbers enter differently, so that with("1") is not with(1).
  return with(hash64(what) ^ 0x5bd1e9955bd1e995ULL);
}

RandomKey RandomKey::with(std::uint64_t which) const {
  RandomKey next = *this;
  next.value_ = mix(value_ ^ mix(which));
  return next;
}

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

Random::Random(const RandomKey& key)
    : key_{static_cast<std::uint32_t>(key.value()),
           static_cast<std::uint32_t>(key.value() >> 32)} {}

Random::result_type Random::operator()() {
  if (used_ == 4) {
    block_ = philox4x32({static_cast<std::uint32_t>(counter_),
                         static_cast<std::uint32_t>(counter_ >> 32),
                         0,
                         0},
                        key_);
    ++counter_;
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

double Random::uniform() {
  const std::uint64_t high = (*this)() >> 5;
  const std::uint64_t low = (*this)() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

double Random::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::uint64_t Random::index(std::uint64_t count) {
  if (count == 0)
    throw std::invalid_argument("no index in an empty range");
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  for (;;) {
    const std::uint64_t high = (*this)();
    const std::uint64_t bits = (high << 32) | (*this)();
    if (bits < limit)
      return bits % count;
  }
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<int> Random::permutation(int count) {
  if (count < 0)
    throw std::invalid_argument("a permutation of fewer than 0");
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[index(i)]);
  return order;
}

}  // namespace proxytune::core
