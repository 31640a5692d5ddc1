#include <limits>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <malloc.h>
#include <torch/version.h>

#include "proxytune/ops/bfloat16_products.h"
#include "proxytune/ops/onednn_limit.h"
#include "proxytune/training/trainer.h"

namespace proxytune::training {
namespace {

/// glibc maps large blocks anew at every allocation, and the page faults cost a quarter of a
/// training step: keep all memory in the heap, and the heap in the process. One heap for all
/// threads: further ones would be of small pieces, and map what is larger.
void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

Numerics set_up_numerics(int threads_per_trial, int local_rank, network::Precision wanted) {
  static_cast<void>(local_rank);  // one kind of device so far: the processor
  keep_memory();
  at::set_num_threads(threads_per_trial);
  if (at::get_num_interop_threads() != 1)
    at::set_num_interop_threads(1);
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  Numerics numerics;
  numerics.libtorch = TORCH_VERSION;
  numerics.instruction_set = at::get_cpu_capability();
  numerics.onednn_limit = ops::onednn_limit();
  numerics.threads_per_trial = at::get_num_threads();
  numerics.precision = network::resolved(wanted);
  // What bfloat16 is multiplied with, by our kernels and by LibTorch's, changes bits.
  if (numerics.precision == network::Precision::bf16 && ops::has_bfloat16_products())
    numerics.instruction_set += ops::has_bfloat16_matrices() ? " with AMX" : " with BF16";
  return numerics;
}

}  // namespace proxytune::training
