#include "ops/row_products.h"

#include <array>
#include <memory>
#include <new>
#include <string>

#include <ATen/Version.h>

#include "proxytune/ops/bfloat16_products.h"

namespace proxytune::ops {

#if defined(PROXYTUNE_X86_KERNELS)
extern const RowKernels avx2_row_kernels;
extern const RowKernels avx512_row_kernels;
MatrixProducts amx_products();
#endif

const RowKernels* row_kernels() {
#if defined(PROXYTUNE_X86_KERNELS)
  static const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512")
    return &avx512_row_kernels;
  if (capability == "AVX2")
    return &avx2_row_kernels;
#endif
  return nullptr;
}

MatrixProducts matrix_products() {
#if defined(PROXYTUNE_X86_KERNELS)
  if (has_bfloat16_matrices())
    return amx_products();
#endif
  return nullptr;
}

float* kept_memory(int which, std::size_t floats) {
  constexpr std::align_val_t line{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, line); }
  };
  struct Kept {
    std::unique_ptr<float[], Free> memory;
    std::size_t floats = 0;
  };
  thread_local std::array<Kept, 4> all;
  Kept& kept = all.at(static_cast<std::size_t>(which));
  if (kept.floats < floats) {
    kept.memory.reset(static_cast<float*>(::operator new[](floats * sizeof(float), line)));
    kept.floats = floats;
  }
  return kept.memory.get();
}

}  // namespace proxytune::ops
