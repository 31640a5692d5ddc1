#pragma once

#include <cstddef>
#include <string>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"

namespace proxytune::comm {

/// MPI counts in int, and a message is one MPI call; all transports keep to the same limit.
constexpr std::size_t largest_message = 2147483647;

/// Throws for a message that no transport takes; nothing has been sent then.
inline void check_message(const Communicator& communicator, std::size_t length, int to) {
  if (length > largest_message)
    throw core::SystemError("a message of " + std::to_string(length) + " bytes to rank " +
                            std::to_string(to) + " is above the limit of " +
                            std::to_string(largest_message) + ": send it in pieces");
  if (to < 0 || to >= communicator.size())
    throw core::SystemError("there is no rank " + std::to_string(to) + " in a group of " +
                            std::to_string(communicator.size()));
}

/// All ranks pass the same root, so all fail alike, before they wait for each other.
inline void check_root(const Communicator& communicator, int root) {
  if (root < 0 || root >= communicator.size())
    throw core::SystemError("rank " + std::to_string(root) +
                            " cannot be the root of a group of " +
                            std::to_string(communicator.size()));
}

}  // namespace proxytune::comm
