#include "proxytune/work/stop.h"

#include <csignal>
#include <cstring>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

struct Signal {
  int number;
  const char* name;
};
constexpr Signal signals[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}};

std::atomic<bool> stop_flag = false;
std::atomic<int> first_signal = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may use lock-free atomics only");

extern "C" void remember_signal(int number) {
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  stop_flag = true;
}

}  // namespace

std::atomic<bool>& install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = remember_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const Signal& signal : signals)
    if (sigaction(signal.number, &action, nullptr) != 0)
      throw core::SystemError(std::string("cannot handle ") + signal.name + ": " +
                              std::strerror(errno));
  return stop_flag;
}

const char* stop_signal_name() {
  for (const Signal& signal : signals)
    if (signal.number == first_signal)
      return signal.name;
  return "";
}

}  // namespace proxytune::work
