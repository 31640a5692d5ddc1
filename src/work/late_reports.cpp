#include "late_reports.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include "proxytune/comm/failure.h"

namespace proxytune::work {

LateReports::LateReports(std::function<void()> sync, Link& link)
    : sync_(std::move(sync)), link_(link), thread_([this] { serve(); }) {}

LateReports::~LateReports() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void LateReports::tell_when_synced(Report report) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(report));
  unsynced_ = true;
  changed_.notify_one();
}

void LateReports::sync_soon() {
  const std::scoped_lock lock(mutex_);
  unsynced_ = true;
  changed_.notify_one();
}

void LateReports::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return unsynced_ || ending_; });
    if (!unsynced_)
      return;
    unsynced_ = false;
    std::vector<Report> reports = std::exchange(waiting_, {});
    lock.unlock();
    try {
      sync_and_tell(std::move(reports));
    } catch (...) {
      link_.break_off(std::current_exception());
    }
    lock.lock();
  }
}

void LateReports::sync_and_tell(std::vector<Report> reports) {
  try {
    sync_();
  } catch (...) {
    // Nobody knows what the disk holds of them, so none of them counts; and with no piece at
    // all to tell of, the work ends all the same.
    const comm::Failure failure = comm::current_failure();
    reports.resize(std::max<std::size_t>(reports.size(), 1));
    for (Report& report : reports)
      report = {.kind = Report::Kind::failed, .key = report.key, .failure = failure};
  }
  for (const Report& report : reports)
    link_.tell(report);
}

}  // namespace proxytune::work
