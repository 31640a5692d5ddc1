#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

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

/// Orders on their way from one thread of this rank to those that work.
class Inbox {
 public:
  void give(Order order);
  /// Wakes all that work, now and later, with another thread's error.
  void break_off(std::exception_ptr error);
  /// The order to go home is for all that work.
  Order wait();

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<Order> orders_;
  std::exception_ptr error_;
};

/// A rank's way to the manager. May be used from any thread.
class Link {
 public:
  virtual ~Link() = default;
  virtual void tell(const Report& report) = 0;
  /// The next order to work or to go home.
  virtual Order wait() = 0;
  /// Has wait() throw the error of another thread.
  virtual void break_off(std::exception_ptr error) = 0;
};

/// Of the ranks other than 0: messages, listened to by a thread of its own, so that a stop
/// reaches a rank within its piece and a signal at this rank reaches the others.
class RemoteLink : public Link {
 public:
  RemoteLink(comm::Communicator& control, std::atomic<bool>& stop);
  void tell(const Report& report) override;
  Order wait() override { return inbox_.wait(); }
  void break_off(std::exception_ptr error) override { inbox_.break_off(std::move(error)); }

 private:
  void listen(const std::stop_token& broken_off);
  /// True after the last order.
  bool take(Order order);

  comm::Communicator& control_;
  std::atomic<bool>& stop_;
  bool manager_knows_ = false;
  Inbox inbox_;
  std::jthread thread_;  // last: the others are whole when it starts
};

/// Of rank 0: two queues in memory. The manager thread beside it watches and sets
/// the stop flag that both share.
class LocalLink : public Link {
 public:
  void tell(const Report& report) override;
  Order wait() override { return inbox_.wait(); }
  void break_off(std::exception_ptr error) override { inbox_.break_off(std::move(error)); }

  // The manager thread's side.
  Inbox& inbox() { return inbox_; }
  std::optional<Report> next_report(std::chrono::microseconds patience);

 private:
  Inbox inbox_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<Report> reports_;
};

/// A rank's life: says that it has come, does the pieces it is given, `at_once` of them beside
/// each other in this thread and others, until sent home; with 0 it only hears of stops.
/// `attempt` does a piece and has its end reported, and that this rank is ready for another;
/// `leave` tells what is left to tell before the goodbye. Where the link fails in one thread
/// `stop` is set, and when the others have come to their next step that error is thrown.
void work_until_sent_home(Link& link,
                          int at_once,
                          const std::function<void(const Item&)>& attempt,
                          const std::function<void()>& leave,
                          std::atomic<bool>& stop);

}  // namespace proxytune::work
