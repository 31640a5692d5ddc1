#pragma once

#include <cstddef>
#include <functional>

namespace proxytune::similarity {

/// Calls use(i, thread) for every i below `count`, handed out one by one to threads 0 ...
/// threads - 1, of which the caller is one. An exception ends the work and is thrown again.
void for_each_in_parallel(std::size_t count,
                          int threads,
                          const std::function<void(std::size_t i, int thread)>& use);

}  // namespace proxytune::similarity
