#pragma once

// Runs CUDA kernels on the processor, for tests where there is no GPU: the words of CUDA C++
// that kernels use become plain C++ (include this before a .cuh), and a thread block's threads
// become fibers that take turns wherever they wait for one another. They begin in order or,
// turned round, in the opposite one: a kernel whose threads do not wait where they must gives
// other results then. Shared memory holds garbage at first, and words behind it are watched.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include <ucontext.h>
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#define __global__
#define __device__
#define __shared__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(threads)

struct uint4 {
  unsigned x, y, z, w;
};

namespace proxytune::test {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

/// Where threads wait until as many as take part have come.
struct MeetingPoint {
  unsigned come = 0;
  unsigned meetings = 0;
};

/// The threads of a block.
class ThreadBlock {
 public:
  static constexpr unsigned warp = 32;

  static ThreadBlock& now() {
    static ThreadBlock block;
    return block;
  }
  void run(unsigned threads, bool turned_round, const std::function<void()>& kernel);

  void meet_all() { meet(all_, running_); }
  void meet_warp() { meet(warps_[current_ / warp], running_in_warp_[current_ / warp]); }
  /// What `value` is in the thread that many places further on in the warp; of no meaning
  /// beyond its end.
  template <class Value>
  Value exchange(Value value, unsigned distance) {
    static_assert(sizeof(Value) <= sizeof(std::uint64_t));
    // Who is a meeting ahead writes where nobody reads any more.
    const unsigned turn = warps_[current_ / warp].meetings % 2;
    __builtin_memcpy(&exchanged_[turn][current_], &value, sizeof value);
    meet_warp();
    if (current_ % warp + distance < warp)
      __builtin_memcpy(&value, &exchanged_[turn][current_ + distance], sizeof value);
    return value;
  }
  unsigned current() const { return current_; }

 private:
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool done = false;
    void* known_to_sanitizer = nullptr;
  };
  static constexpr std::size_t stack_bytes = std::size_t{128} << 10U;

  static void begin() { now().body(); }
  static void change(Fiber& from, Fiber& to) {
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(to.known_to_sanitizer, 0);
#endif
    swapcontext(&from.context, &to.context);
  }
  void body();
  void meet(MeetingPoint& point, const unsigned& taking_part);
  void give_way();

  std::function<void()> kernel_;
  std::vector<Fiber> fibers_;
  std::vector<unsigned> next_;  // by thread
  Fiber caller_;
  unsigned current_ = 0;
  unsigned running_ = 0;
  unsigned idle_ = 0;  // turns since something happened
  std::vector<unsigned> running_in_warp_;
  MeetingPoint all_;
  std::vector<MeetingPoint> warps_;
  std::vector<std::uint64_t> exchanged_[2];
};

inline void ThreadBlock::run(unsigned threads,
                             bool turned_round,
                             const std::function<void()>& kernel) {
  kernel_ = kernel;
  if (fibers_.size() < threads)
    fibers_.resize(threads);
  next_.resize(threads);
  running_ = threads;
  idle_ = 0;
  all_ = {};
  warps_.assign((threads + warp - 1) / warp, {});
  running_in_warp_.assign(warps_.size(), 0);
  for (auto& values : exchanged_)
    values.assign(threads + warp, 0);
  for (unsigned thread = 0; thread < threads; ++thread) {
    ++running_in_warp_[thread / warp];
    next_[thread] = (turned_round ? thread + threads - 1 : thread + 1) % threads;
    Fiber& fiber = fibers_[thread];
    fiber.done = false;
    if (!fiber.stack)
      fiber.stack = std::make_unique<char[]>(stack_bytes);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = stack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &ThreadBlock::begin, 0);
#if defined(__SANITIZE_THREAD__)
    if (fiber.known_to_sanitizer == nullptr)
      fiber.known_to_sanitizer = __tsan_create_fiber(0);
    caller_.known_to_sanitizer = __tsan_get_current_fiber();
#endif
  }
  current_ = turned_round ? threads - 1 : 0;
  change(caller_, fibers_[current_]);
}

inline void ThreadBlock::body() {
  kernel_();
  Fiber& me = fibers_[current_];
  me.done = true;
  idle_ = 0;
  --running_;
  --running_in_warp_[current_ / warp];
  if (running_ == 0)
    change(me, caller_);
  give_way();
}

inline void ThreadBlock::give_way() {
  Fiber& me = fibers_[current_];
  if (++idle_ > 4 * next_.size()) {
    std::fputs("threads of a kernel wait for one another for ever\n", stderr);
    std::abort();
  }
  do
    current_ = next_[current_];
  while (fibers_[current_].done);
  if (&fibers_[current_] != &me)
    change(me, fibers_[current_]);
}

/// Threads that have ended count as come.
inline void ThreadBlock::meet(MeetingPoint& point, const unsigned& taking_part) {
  const unsigned meeting = point.meetings;
  const unsigned me = current_;
  ++point.come;
  while (point.meetings == meeting) {
    if (point.come >= taking_part) {
      point.come = 0;
      ++point.meetings;
      idle_ = 0;
      return;
    }
    give_way();
  }
  if (current_ != me)
    std::abort();
}

}  // namespace proxytune::test

inline proxytune::test::Dim3 blockIdx, blockDim, gridDim;
/// Of the fiber at work.
struct ThreadIndex {
  struct X {
    operator unsigned() const { return proxytune::test::ThreadBlock::now().current(); }
  } x;
};
inline constexpr ThreadIndex threadIdx;

inline void __syncthreads() {
  proxytune::test::ThreadBlock::now().meet_all();
}
template <class Value>
Value __shfl_down_sync(unsigned /*threads*/, Value value, unsigned distance) {
  return proxytune::test::ThreadBlock::now().exchange(value, distance);
}
template <class Value>
Value __ldg(const Value* from) {
  return *from;
}
inline std::uint32_t atomicAdd(std::uint32_t* to, std::uint32_t value) {
  const std::uint32_t before = *to;
  *to += value;
  return before;
}

namespace proxytune::similarity {

/// What gpu_shared.cuh declares.
inline constexpr std::size_t shared_words_on_cpu = std::size_t{1} << 16U;
alignas(16) inline std::uint32_t shared_words[shared_words_on_cpu];

}  // namespace proxytune::similarity

namespace proxytune::test {

/// Runs a kernel over a grid; blocks come in order, or turned round in the opposite one. Throws
/// std::logic_error where a block writes behind its shared memory.
template <class Kernel>
void launch_on_cpu(Dim3 grid,
                   unsigned threads,
                   std::size_t shared_bytes,
                   bool turned_round,
                   const Kernel& kernel) {
  constexpr std::uint32_t garbage = 0xCDCDCDCDU;
  const std::size_t words = (shared_bytes + 3) / 4;
  if (words + 64 > similarity::shared_words_on_cpu)
    throw std::logic_error("a kernel asks for more shared memory than there is");
  gridDim = grid;
  blockDim = {threads, 1, 1};
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const std::uint64_t block = turned_round ? blocks - 1 - b : b;
    blockIdx = {static_cast<unsigned>(block % grid.x),
                static_cast<unsigned>(block / grid.x % grid.y),
                static_cast<unsigned>(block / grid.x / grid.y)};
    for (std::size_t word = 0; word < words + 64; ++word)
      similarity::shared_words[word] = garbage;
    ThreadBlock::now().run(threads, turned_round, kernel);
    for (std::size_t word = words; word < words + 64; ++word)
      if (similarity::shared_words[word] != garbage)
        throw std::logic_error("a kernel writes behind its shared memory");
  }
}

}  // namespace proxytune::test
