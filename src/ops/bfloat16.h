#pragma once

#include <bit>
#include <cstdint>

#include "ops/clones.h"

// No LibTorch here.
namespace proxytune::ops {

/// The upper half of a float.
struct Bfloat16 {
  std::uint16_t bits = 0;
};

/// The type that sums and means of these elements have.
template <class Element>
struct Computed {
  using Type = Element;
};
template <>
struct Computed<Bfloat16> {
  using Type = float;
};

PROXYTUNE_INLINE float value_of(float element) {
  return element;
}
PROXYTUNE_INLINE double value_of(double element) {
  return element;
}
PROXYTUNE_INLINE float value_of(Bfloat16 element) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(element.bits) << 16U);
}

/// The bits of the nearest bfloat16, ties to even; NaN stays NaN.
PROXYTUNE_INLINE std::uint32_t narrowed(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  return (bits & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded;
}

PROXYTUNE_INLINE void set(float& element, float value) {
  element = value;
}
PROXYTUNE_INLINE void set(double& element, double value) {
  element = value;
}
PROXYTUNE_INLINE void set(Bfloat16& element, float value) {
  element.bits = static_cast<std::uint16_t>(narrowed(value));
}

}  // namespace proxytune::ops
