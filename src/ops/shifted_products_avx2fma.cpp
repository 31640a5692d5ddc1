#include <immintrin.h>

#include "ops/shifted_product_loops.h"
#include "ops/words_avx2.h"

namespace proxytune::ops {
namespace {

struct Floats8 {
  using Sum = __m256;
  using Word = __m256;
  static constexpr int lanes = 8;
  static constexpr int bytes = 32;
  static constexpr int registers = 16;
  static Sum zero() { return _mm256_setzero_ps(); }
  static Word load(const std::byte* from) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
  }
  static Word spread(const std::uint32_t& word) {
    return _mm256_broadcast_ss(reinterpret_cast<const float*>(&word));
  }
  static Sum multiply_add(Sum sum, Word a, Word b) { return _mm256_fmadd_ps(a, b, sum); }
  static Sum add(Sum a, Sum b) { return _mm256_add_ps(a, b); }
  static Sum spread_sum(float value) { return _mm256_set1_ps(value); }
  static Sum load_sum(const float* from) { return _mm256_loadu_ps(from); }
  static void store_sum(float* to, Sum sum) { _mm256_storeu_ps(to, sum); }
};

}  // namespace

extern const ProductKernels avx2_float_kernels;
const ProductKernels avx2_float_kernels = kernels_for<Floats8, Words8>();

}  // namespace proxytune::ops
