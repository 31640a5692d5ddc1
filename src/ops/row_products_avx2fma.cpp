#include <immintrin.h>

#include "ops/row_gradient_loops.h"
#include "ops/words_avx2.h"

namespace proxytune::ops {
namespace {

/// What row_product_loops.h needs of AVX2 with FMA. Of 16 registers 12 hold sums. Channels are
/// multiples of a vector, so that every vector is whole.
struct Rows8 {
  using Floats = __m256;
  struct Tail {};
  using Words = Words8;
  static constexpr int lanes = 8;
  static constexpr int rows(int vectors) { return vectors == 1 ? 12 : 6; }
  static constexpr int firsts(int vectors) { return vectors == 1 ? 8 : 4; }

  static Floats zero() { return _mm256_setzero_ps(); }
  static Floats load(const float* from) { return _mm256_load_ps(from); }
  static Floats load_unaligned(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Floats values) { _mm256_store_ps(to, values); }
  static void store_unaligned(float* to, Floats values) { _mm256_storeu_ps(to, values); }
  static Floats spread(const float& value) { return _mm256_broadcast_ss(&value); }
  static Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats sum) {
    return _mm256_fmadd_ps(a, b, sum);
  }
  static Tail first_of(int /*count*/) { return {}; }
  static Floats load_first(Tail /*tail*/, const float* from) { return load_unaligned(from); }
  static void store_first(Tail /*tail*/, float* to, Floats values) {
    store_unaligned(to, values);
  }
};

}  // namespace

extern const RowKernels avx2_row_kernels;
const RowKernels avx2_row_kernels = row_kernels_of<Rows8>();

}  // namespace proxytune::ops
