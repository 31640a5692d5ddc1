#pragma once

// A function marked PROXYTUNE_CLONES is compiled for several vector widths, and the widest that
// the machine has is taken when the program is loaded. What it calls must be PROXYTUNE_INLINE.
// Lanes are the same for every instruction set and -ffp-contract=off forbids fused
// multiply-adds, so the clones give equal bits. Sanitizers break the resolvers of clones.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define PROXYTUNE_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#define PROXYTUNE_FOR_AVX2 __attribute__((target("avx2")))
#else
#define PROXYTUNE_CLONES
#define PROXYTUNE_FOR_AVX2
#endif
#define PROXYTUNE_INLINE inline __attribute__((always_inline))
#define PROXYTUNE_INLINE_LAMBDA __attribute__((always_inline))

namespace proxytune::ops {

/// Whether a function marked PROXYTUNE_FOR_AVX2 can be called, and no clone is of wider
/// vectors.
inline bool widest_is_avx2() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool is =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("avx512f") == 0;
  return is;
#else
  return false;
#endif
}

}  // namespace proxytune::ops
