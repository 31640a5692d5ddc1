#pragma once

#include <atomic>

namespace proxytune::work {

/// From now on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 end nothing: they set the flag that is
/// returned, which the work asks between steps. The flag is the process's, since a signal is.
/// Throws core::SystemError where the system refuses.
std::atomic<bool>& install_stop_signals();

/// The first such signal ("SIGTERM"), or "" while there was none.
const char* stop_signal_name();

}  // namespace proxytune::work
