#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "proxytune/work/record.h"

namespace proxytune::work {

/// Seconds of a rank in one stage.
struct StageSeconds {
  double work = 0;   // at pieces whose results count
  double waste = 0;  // at attempts that failed, or that died with their process
  double idle = 0;   // at no piece: start-up, waiting for pieces and in collectives, writing

  double total() const { return work + waste + idle; }
  StageSeconds& operator+=(const StageSeconds& other);
};

/// Where a rank's wall time goes. Every moment counts once: in equal parts for the pieces that
/// the rank is at, or as idle. Thread-safe.
class Account {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  /// How an attempt at a piece ended.
  enum class End {
    done,    // its result counts
    failed,  // nothing of it counts, nor what it kept
    left,    // what it kept counts
  };

  /// At a piece that counts however it ends, as long as it lives.
  class Busy {
   public:
    Busy(Account& account, std::string piece) : account_(account), piece_(std::move(piece)) {
      account_.begin(piece_);
    }
    ~Busy() { account_.end(piece_, End::done); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Account& account_;
    std::string piece_;
  };

  explicit Account(Clock::time_point begun, Now now = Clock::now);

  /// From here on time is this stage's. No piece is running.
  void enter(const std::string& stage);
  void begin(const std::string& piece);
  /// What was done so far outlives the process.
  void keep(const std::string& piece);
  void end(const std::string& piece, End end);
  /// A piece has come further, to be told by doing(), or without anything to tell.
  void reach(const std::string& piece, std::string where);
  void step(const std::string& piece);

  /// What the rank is at: "sweep, 0123456789ab (3 of 10 epochs done)".
  std::string doing();
  /// How often each running piece has come further.
  std::map<std::string, std::uint64_t> steps();
  /// This rank's time at a piece since it was begun.
  double seconds(const std::string& piece);

  /// All time until now: for each stage "<stage>.work", ".waste", ".idle" and ".open" (at
  /// pieces that run, since each was last kept), and "seconds", their sum as the clock has it.
  Record so_far();

 private:
  struct Open {
    double kept = 0;
    double fresh = 0;
    std::uint64_t steps = 0;
    std::string where = {};
  };
  void advance();

  std::mutex mutex_;
  Now now_;
  Clock::time_point begun_;
  Clock::time_point counted_until_;
  std::string stage_ = "start";
  std::map<std::string, StageSeconds> stages_;
  std::map<std::string, Open> open_;
};

/// What Account::so_far() wrote, by stage. Of a rank that is at work what is open is work; of
/// one that died it is waste.
std::map<std::string, StageSeconds> seconds_by_stage(const Record& account, bool at_work);

}  // namespace proxytune::work
