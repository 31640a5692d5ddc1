#include "pair_kernel_table.h"

namespace proxytune::similarity {

extern const PairKernels avx2_kernels;
const PairKernels avx2_kernels = kernels_of_this_source;

}  // namespace proxytune::similarity
