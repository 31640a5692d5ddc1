#pragma once

// A function marked so is compiled for several vector widths, and the widest that the machine
// has is taken when the program is loaded. Contraction is off (-ffp-contract=off) and sums go
// over a fixed number of lanes, so all of them give the same bits. ThreadSanitizer cannot run
// the code that chooses.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define PROXYTUNE_VECTORISE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define PROXYTUNE_VECTORISE
#endif

namespace proxytune::training {

inline constexpr int lanes = 16;

}  // namespace proxytune::training
