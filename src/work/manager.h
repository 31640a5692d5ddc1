#pragma once

#include <thread>

#include "link.h"
#include "schedule.h"

namespace proxytune::work {

/// The manager thread of rank 0. It alone calls the source.
class Manager {
 public:
  Manager(comm::Communicator& control,
          LocalLink& local,
          Schedule::Parts parts,
          std::atomic<bool>& stop);
  /// Joins; a manager whose ranks have not all gone home is broken off.
  ~Manager() = default;

  /// Waits until all ranks have said goodbye.
  Outcome outcome();

 private:
  void serve(const std::stop_token& broken_off);
  bool take_reports();
  bool give_orders();
  void spread_stop();
  void send_home();
  void give(int rank, Order order);

  comm::Communicator& control_;
  LocalLink& local_;
  std::atomic<bool>& stop_;
  Schedule schedule_;
  int goodbyes_ = 0;
  std::exception_ptr error_;
  std::jthread thread_;  // last: the others are whole when it starts
};

}  // namespace proxytune::work
