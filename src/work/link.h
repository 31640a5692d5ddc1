#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

#include "proxytune/comm/communicator.h"
#include "wire.h"

namespace proxytune::work {

/// How long to sleep between two looks: an eighth of the time already waited, so that waiting
/// costs a short piece little time and a long piece little CPU.
class Patience {
 public:
  void reset() { since_ = std::chrono::steady_clock::now(); }
  std::chrono::microseconds pause() const;

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

/// A worker's way to the manager.
class Link {
 public:
  virtual ~Link() = default;
  virtual void tell(const Report& report) = 0;
  /// The next order. While it waits it calls `look` from time to time.
  virtual Order wait(const std::function<void()>& look) = 0;
};

/// Of the ranks other than 0: messages, polled.
class RemoteLink : public Link {
 public:
  explicit RemoteLink(comm::Communicator& control) : control_(control) {}
  void tell(const Report& report) override;
  Order wait(const std::function<void()>& look) override;

 private:
  comm::Communicator& control_;
};

/// Of rank 0's main thread: two queues in memory. Never calls `look`: the manager thread beside
/// it watches the same flag.
class LocalLink : public Link {
 public:
  void tell(const Report& report) override;
  Order wait(const std::function<void()>& look) override;

  // The manager thread's side.
  void give(Order order);
  std::optional<Report> next_report(std::chrono::microseconds patience);
  /// Wakes the main thread with the manager thread's error.
  void break_off(std::exception_ptr error);

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::condition_variable given_;
  std::deque<Report> reports_;
  std::deque<Order> orders_;
  std::exception_ptr error_;
};

/// A worker's life: reports that it is ready, makes a report out of each piece, until sent
/// home.
void work_until_sent_home(Link& link,
                          const std::function<Report(const Item&)>& attempt,
                          const std::atomic<bool>& stop);

}  // namespace proxytune::work
