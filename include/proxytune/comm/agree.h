#pragma once

#include <functional>
#include <string>

#include "proxytune/comm/communicator.h"

namespace proxytune::comm {

/// Runs `local`, which holds no collective, on every rank; then all ranks learn whether one
/// failed. If so, every rank throws the core::Error of the lowest failing rank (its code, its
/// sentence; other exceptions become core::Error of code 1). So an error of one rank never
/// leaves the others waiting. Collective.
void together(Communicator& communicator, const std::function<void()>& local);

/// The root's text on every rank; `make` runs on the root only and its error is everybody's.
std::string from_root(Communicator& communicator, const std::function<std::string()>& make);

/// Every rank's text, by rank. Collective.
std::vector<std::string> gather_texts(Communicator& communicator, const std::string& mine);

/// True on all ranks if true on any. Collective.
bool any(Communicator& communicator, bool mine);

}  // namespace proxytune::comm
