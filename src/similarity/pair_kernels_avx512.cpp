#include "pair_kernel_table.h"

namespace proxytune::similarity {

extern const PairKernels avx512_kernels;
const PairKernels avx512_kernels = kernels_of_this_source;

}  // namespace proxytune::similarity
