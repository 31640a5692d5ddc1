#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/work/ticker.h"

namespace proxytune::work {

/// How often each piece that a rank is at has come further; "" is the rank itself.
using Steps = std::map<std::string, std::uint64_t>;

/// What a rank is at, as it says itself.
struct Whereabouts {
  std::string host;
  std::string doing;      // "sweep, trial 0123abcd (3 of 10 epochs done)"
  std::string waits_for;  // "an all-gather", "a piece of work"; empty: it is at work
  Steps steps = {};
};

/// What is known of a rank.
struct Sign {
  Whereabouts at;
  double still = 0;   // seconds since it came further, of its pieces the slowest
  double silent = 0;  // seconds since anybody heard of it
};

/// Why nothing goes on, with a line for each rank, those to blame first; empty while something
/// does. To blame is who is at work and has not come further for `timeout` seconds, or has
/// given no sign of life for as long. Where all ranks have waited as long, they wait for each
/// other.
std::string hang_report(const std::vector<Sign>& ranks, double timeout);

/// Watches all ranks of a group from a thread of each, over a communicator of its own: the
/// ranks tell rank 0 where they are, and rank 0 tells them that it lives. Time in which the
/// whole process was halted does not count. Constructing it is collective.
class HangWatch {
 public:
  /// `hung` gets the report, on rank 0, or, where rank 0 gives no sign, on the others. Both are
  /// called from a thread of the watch's.
  HangWatch(comm::Communicator& group,
            double timeout,
            std::function<Whereabouts()> where,
            std::function<void(const std::string& report)> hung);

 private:
  void look();
  void update_own(double passed);
  void listen_as_root(double passed);
  void listen_to_root(double passed);

  std::unique_ptr<comm::Communicator> channel_;
  double timeout_;
  std::chrono::milliseconds interval_;
  std::function<Whereabouts()> where_;
  std::function<void(const std::string& report)> hung_;
  std::map<std::string, double> still_;  // by piece of this rank
  std::vector<Sign> ranks_;  // on rank 0 all; elsewhere the root's and the own are used
  std::chrono::steady_clock::time_point looked_ = std::chrono::steady_clock::now();
  bool reported_ = false;
  Ticker ticker_;  // last: the others are whole when it starts
};

}  // namespace proxytune::work
