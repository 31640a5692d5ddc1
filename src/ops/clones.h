#pragma once

// A function marked PROXYTUNE_CLONES is compiled for several vector widths, and the widest that
// the machine has is taken when the program is loaded. What it calls must be PROXYTUNE_INLINE.
// Lanes are the same for every instruction set and -ffp-contract=off forbids fused
// multiply-adds, so the clones give equal bits. Sanitizers break the resolvers of clones.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define PROXYTUNE_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define PROXYTUNE_CLONES
#endif
#define PROXYTUNE_INLINE inline __attribute__((always_inline))
#define PROXYTUNE_INLINE_LAMBDA __attribute__((always_inline))
