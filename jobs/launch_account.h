#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "jobs/study_journal.h"
#include "proxytune/work/account.h"
#include "proxytune/work/ticker.h"

namespace proxytune::jobs {

/// Where this rank's time goes in this launch, and in the journal every `heartbeat`, so that of
/// a launch that is killed no more is unknown.
class LaunchAccount {
 public:
  LaunchAccount(const StudyJournal& journal,
                work::Account::Clock::time_point begun,
                std::chrono::milliseconds heartbeat = std::chrono::seconds(30));
  /// Notes that this rank came to its end.
  ~LaunchAccount();
  LaunchAccount(const LaunchAccount&) = delete;
  LaunchAccount& operator=(const LaunchAccount&) = delete;

  work::Account& account() { return account_; }
  void end(const std::string& piece, work::Account::End end);

 private:
  void note(bool ended);

  const StudyJournal& journal_;
  work::Account account_;
  std::mutex mutex_;
  work::Account::Clock::time_point noted_;
  std::optional<work::Ticker> ticker_;  // last: the others are whole when it starts
};

}  // namespace proxytune::jobs
