#include <immintrin.h>

#include "ops/row_gradient_loops.h"
#include "ops/weight_blocks_avx512.h"

namespace proxytune::ops {
namespace {

/// What row_product_loops.h needs of AVX-512.
struct Rows16 {
  using Floats = __m512;
  using Tail = __mmask16;
  using Words = Words16;
  static constexpr int lanes = 16;
  static constexpr int rows(int /*vectors*/) { return 14; }
  static constexpr int firsts(int vectors) { return vectors == 1 ? 16 : 8; }

  static Floats zero() { return _mm512_setzero_ps(); }
  static Floats load(const float* from) { return _mm512_load_ps(from); }
  static Floats load_unaligned(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Floats values) { _mm512_store_ps(to, values); }
  static void store_unaligned(float* to, Floats values) { _mm512_storeu_ps(to, values); }
  static Floats spread(const float& value) { return _mm512_set1_ps(value); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats sum) {
    return _mm512_fmadd_ps(a, b, sum);
  }
  static Tail first_of(int count) { return ops::first_of(count); }
  static Floats load_first(Tail tail, const float* from) {
    return _mm512_maskz_loadu_ps(tail, from);
  }
  static void store_first(Tail tail, float* to, Floats values) {
    _mm512_mask_storeu_ps(to, tail, values);
  }
};

}  // namespace

extern const RowKernels avx512_row_kernels;
const RowKernels avx512_row_kernels = row_kernels_of<Rows16>();

}  // namespace proxytune::ops
