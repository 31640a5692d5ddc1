#include "pair_kernels.h"

namespace proxytune::similarity {

extern const PairKernels portable_kernels;
#if defined(PROXYTUNE_X86_KERNELS)
extern const PairKernels avx2_kernels;
extern const PairKernels avx512_kernels;
#endif

const PairKernels& pair_kernels(InstructionSet set) {
#if defined(PROXYTUNE_X86_KERNELS)
  if (set == InstructionSet::avx512)
    return avx512_kernels;
  if (set == InstructionSet::avx2)
    return avx2_kernels;
#endif
  static_cast<void>(set);
  return portable_kernels;
}

}  // namespace proxytune::similarity
