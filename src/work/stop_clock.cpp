#include "proxytune/work/stop_clock.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace proxytune::work {

StopClock::StopClock(std::atomic<bool>& stop, Times times, Calls calls)
    : stop_(stop), times_(times), calls_(std::move(calls)), thread_([this] { watch(); }) {}

StopClock::~StopClock() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

double StopClock::seconds_left() const {
  const double passed = Seconds(Clock::now() - start_).count();
  return std::max(0.0, times_.limit - times_.grace - longest_checkpoint_ - passed);
}

void StopClock::took_checkpoint(double seconds) {
  double longest = longest_checkpoint_;
  while (seconds > longest && !longest_checkpoint_.compare_exchange_weak(longest, seconds)) {
  }
}

void StopClock::watch() {
  // A flag that signal handlers set wakes nobody, so it is looked at now and then.
  constexpr std::chrono::milliseconds glance(20);
  std::optional<Clock::time_point> stopped_at;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, glance, [&] { return ending_; })) {
    if (!stop_ && seconds_left() == 0) {
      calls_.limit_is_near();
      stop_ = true;
    }
    if (stop_ && !stopped_at)
      stopped_at = Clock::now();
    if (stopped_at && Seconds(Clock::now() - *stopped_at).count() > times_.grace) {
      calls_.overdue();
      return;
    }
  }
}

}  // namespace proxytune::work
