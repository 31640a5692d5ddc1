#pragma once

#include <span>

#include "proxytune/core/names.h"

namespace proxytune::network {

/// What a network computes in. Under bf16 activations and the copies of weights that meet them
/// are bfloat16; weights, their gradients, statistics, logits and the loss stay float32.
enum class Precision { automatic, f32, bf16 };
inline constexpr core::Name<Precision> names_of_precision[] = {
    {Precision::automatic, "auto"}, {Precision::f32, "f32"}, {Precision::bf16, "bf16"}};
constexpr std::span<const core::Name<Precision>> names(Precision) {
  return names_of_precision;
}

/// bf16 where this processor multiplies bfloat16 and `wanted` is automatic, f32 where it does
/// not; else what is wanted.
Precision resolved(Precision wanted);

}  // namespace proxytune::network
