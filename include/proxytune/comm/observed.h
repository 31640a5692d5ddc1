#pragma once

#include <functional>
#include <memory>

#include "proxytune/comm/communicator.h"

namespace proxytune::comm {

/// Told of each collective that a rank enters ("a broadcast"), and with null when it is
/// through.
using WaitObserver = std::function<void(const char* operation)>;

/// The same group, and what is split off it or duplicated, observed. `inner` outlives it.
std::unique_ptr<Communicator> observed(Communicator& inner, WaitObserver observer);

/// As long as a rank is in a library's collective over a group, for who observes the group.
class LibraryCollective {
 public:
  LibraryCollective(Communicator& group, const char* operation) : group_(group) {
    group_.enter_library(operation);
  }
  ~LibraryCollective() { group_.enter_library(nullptr); }
  LibraryCollective(const LibraryCollective&) = delete;
  LibraryCollective& operator=(const LibraryCollective&) = delete;

 private:
  Communicator& group_;
};

}  // namespace proxytune::comm
