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

}  // namespace proxytune::comm
