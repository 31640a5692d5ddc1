#include "pair_kernel_table.h"

namespace proxytune::similarity {

extern const PairKernels portable_kernels;
const PairKernels portable_kernels = kernels_of_this_source;

}  // namespace proxytune::similarity
