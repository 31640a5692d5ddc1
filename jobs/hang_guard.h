#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/logging.h"
#include "proxytune/work/account.h"
#include "proxytune/work/hang_watch.h"

namespace proxytune::jobs {

/// What this rank waits for, if anything.
class Waits {
 public:
  /// Of a communicator's collectives; null: through.
  void in(const char* operation) {
    operation_ = operation;
    ++changes_;
  }
  /// While pieces are given out, a rank that has none waits for one.
  void pieces_are_given_out(bool given_out) {
    given_out_ = given_out;
    ++changes_;
  }
  work::Whereabouts whereabouts(work::Account& account) const;

 private:
  std::atomic<const char*> operation_ = nullptr;
  std::atomic<bool> given_out_ = false;
  std::atomic<std::uint64_t> changes_ = 0;
};

/// Ends the job with code 4 and a report when nothing goes on any more; null where `timeout` is
/// 0. All that is handed in outlives it. Collective.
std::unique_ptr<work::HangWatch> guard_against_hangs(comm::Communicator& world,
                                                     const core::Log& log,
                                                     double timeout,
                                                     const Waits& waits,
                                                     work::Account& account);

}  // namespace proxytune::jobs
