#pragma once

#include <cstdint>

// The kernels of the pair matrix are plain CUDA C++, and plain C++ for
// tests/support/cuda_on_cpu.h, which runs the same sources on the processor. So all shared
// memory is the launch's.
namespace proxytune::similarity {

/// Shared memory of a thread block.
extern __shared__ __align__(16) std::uint32_t shared_words[];

}  // namespace proxytune::similarity
