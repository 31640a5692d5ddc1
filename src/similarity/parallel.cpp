#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace proxytune::similarity {
namespace {

bool start(std::vector<std::jthread>& threads,
           const std::function<void(int thread)>& work,
           int thread) {
  try {
    threads.emplace_back(work, thread);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

void for_each_in_parallel(std::size_t count,
                          int threads,
                          const std::function<void(std::size_t i, int thread)>& use) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&](int thread) {
    try {
      for (std::size_t i = next++; i < count; i = next++)
        use(i, thread);
    } catch (...) {
      next = count;
      const std::scoped_lock lock(mutex);
      if (!error)
        error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    const int wanted =
        static_cast<int>(std::min<std::size_t>(count, static_cast<std::size_t>(threads)));
    for (int thread = 1; thread < wanted; ++thread)
      if (!start(others, work, thread))
        break;  // the system has no more; those that run do the work
    work(0);
  }
  if (error)
    std::rethrow_exception(error);
}

}  // namespace proxytune::similarity
