#include <immintrin.h>

#include "ops/shifted_product_loops.h"
#include "ops/words_avx512.h"

namespace proxytune::ops {
namespace {

struct Floats16 {
  using Sum = __m512;
  using Word = __m512;
  static constexpr int lanes = 16;
  static constexpr int bytes = 64;
  static constexpr int registers = 32;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Word load(const std::byte* from) { return _mm512_loadu_ps(from); }
  static Word spread(const std::uint32_t& word) {
    return _mm512_set1_ps(*reinterpret_cast<const float*>(&word));
  }
  static Sum multiply_add(Sum sum, Word a, Word b) { return _mm512_fmadd_ps(a, b, sum); }
  static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
  static Sum spread_sum(float value) { return _mm512_set1_ps(value); }
  static Sum load_sum(const float* from) { return _mm512_loadu_ps(from); }
  static void store_sum(float* to, Sum sum) { _mm512_storeu_ps(to, sum); }
};

}  // namespace

extern const ProductKernels avx512_float_kernels;
const ProductKernels avx512_float_kernels = kernels_for<Floats16, Words16>();

}  // namespace proxytune::ops
