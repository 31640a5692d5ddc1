#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "link.h"

namespace proxytune::work {

/// Tells the manager of finished pieces once their lines are on disk, while the worker goes on
/// with its next piece: syncing takes milliseconds, and one sync serves all that came
/// meanwhile.
class LateReports {
 public:
  /// `sync` puts all lines written so far onto the disk; it is called by a thread of ours.
  LateReports(std::function<void()> sync, Link& link);
  /// Syncs and tells what is left.
  ~LateReports();
  LateReports(const LateReports&) = delete;
  LateReports& operator=(const LateReports&) = delete;

  /// The journal holds a line that is not yet synced; `report` waits for it.
  void tell_when_synced(Report report);
  /// The same of a line that nobody has to be told of.
  void sync_soon();

 private:
  void serve();
  void sync_and_tell(std::vector<Report> reports);

  std::function<void()> sync_;
  Link& link_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Report> waiting_;
  bool unsynced_ = false;
  bool ending_ = false;
  std::jthread thread_;  // last: the others are whole when it starts
};

}  // namespace proxytune::work
