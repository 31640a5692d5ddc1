#include "proxytune/network/precision.h"

#include "proxytune/ops/bfloat16_products.h"

namespace proxytune::network {

Precision resolved(Precision wanted) {
  if (wanted != Precision::automatic)
    return wanted;
  return ops::has_bfloat16_products() ? Precision::bf16 : Precision::f32;
}

}  // namespace proxytune::network
