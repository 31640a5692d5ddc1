#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>

namespace proxytune::work {

/// Ends this rank's work in time. Ahead of a limit it sets the stop flag, as a signal does:
/// early enough for the grace time and the longest checkpoint seen. Where the rank is still at
/// work when the grace time after a stop, whatever its cause, is over, it calls `overdue`,
/// which ends the job by force. One a rank, alive as long as there is work.
class StopClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  struct Times {
    double limit = std::numeric_limits<double>::infinity();  // seconds from now
    double grace = 60;                                       // seconds from a stop
  };
  struct Calls {  // from a thread of the clock's own
    std::function<void()> limit_is_near;
    std::function<void()> overdue;
  };

  StopClock(std::atomic<bool>& stop, Times times, Calls calls);
  ~StopClock();
  StopClock(const StopClock&) = delete;
  StopClock& operator=(const StopClock&) = delete;

  /// Seconds of work until the limit's stop; infinite without a limit, 0 once it has come.
  double seconds_left() const;
  /// How long a checkpoint took, so that the limit's stop leaves time for another. From any
  /// thread.
  void took_checkpoint(double seconds);

 private:
  void watch();

  std::atomic<bool>& stop_;
  const Times times_;
  const Calls calls_;
  const Clock::time_point start_ = Clock::now();
  std::atomic<double> longest_checkpoint_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;  // last: the others are whole when it starts
};

}  // namespace proxytune::work
