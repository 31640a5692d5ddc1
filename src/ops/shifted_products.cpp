#include "ops/shifted_products.h"

#include <string>

#include <ATen/Version.h>

#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/onednn_limit.h"

namespace proxytune::ops {

#if defined(PROXYTUNE_X86_KERNELS)
extern const ProductKernels avx2_float_kernels;
extern const ProductKernels avx512_float_kernels;
extern const ProductKernels avx512_bfloat16_kernels;
#endif

const ProductKernels* float_kernels() {
#if defined(PROXYTUNE_X86_KERNELS)
  static const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512")
    return &avx512_float_kernels;
  if (capability == "AVX2")
    return &avx2_float_kernels;
#endif
  return nullptr;
}

const ProductKernels* bfloat16_kernels() {
#if defined(PROXYTUNE_X86_KERNELS)
  if (has_bfloat16_products())
    return &avx512_bfloat16_kernels;
#endif
  return nullptr;
}

bool has_bfloat16_products() {
#if defined(PROXYTUNE_X86_KERNELS)
  static const bool has = std::string(at::get_cpu_capability()) == "AVX512" &&
                          __builtin_cpu_supports("avx512bf16") != 0 &&
                          allows_bfloat16_products(onednn_limit());
  return has;
#else
  return false;
#endif
}

bool has_bfloat16_matrices() {
#if defined(PROXYTUNE_X86_KERNELS)
  static const bool has = has_bfloat16_products() && __builtin_cpu_supports("amx-bf16") != 0 &&
                          allows_bfloat16_matrices(onednn_limit());
  return has;
#else
  return false;
#endif
}

}  // namespace proxytune::ops
