#include "training/flush_denormals.h"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <torch/torch.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace proxytune::training {
namespace {

template <class Call>
void in_every_thread(const Call& call) {
  call();
  const int threads = at::get_num_threads();
  if (threads == 1)
    return;
  // LibTorch's own loop over an element a thread: at::parallel_for is compiled into its caller,
  // and without OpenMP there it stays in one thread.
  const torch::Tensor element_of_each = torch::empty({threads}, torch::kUInt8);
  const auto loop = [&](char** /*data*/,
                        const std::int64_t* /*strides*/,
                        std::int64_t /*inner*/,
                        std::int64_t /*outer*/) { call(); };
  at::TensorIteratorConfig()
      .check_all_same_dtype(false)
      .resize_outputs(false)
      .declare_static_shape(element_of_each.sizes())
      .add_output(element_of_each)
      .build()
      .for_each(loop, 1);
}

}  // namespace

#if defined(__SSE2__)
FlushDenormals::FlushDenormals() : before_(_mm_getcsr()) {
  constexpr unsigned flush_results_and_inputs = 0x8040;
  in_every_thread([control = before_ | flush_results_and_inputs] { _mm_setcsr(control); });
}
FlushDenormals::~FlushDenormals() {
  in_every_thread([control = before_] { _mm_setcsr(control); });
}
#else
FlushDenormals::FlushDenormals() {
  in_every_thread([] { at::globalContext().setFlushDenormal(true); });
}
FlushDenormals::~FlushDenormals() {
  in_every_thread([] { at::globalContext().setFlushDenormal(false); });
}
#endif

}  // namespace proxytune::training
