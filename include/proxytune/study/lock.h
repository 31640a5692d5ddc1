#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace proxytune::study {

struct LockOptions {
  std::chrono::milliseconds heartbeat{5'000};     // between signs of life
  std::chrono::milliseconds stale_after{30'000};  // without one, the holder counts as dead
};

/// At most one live job in a study folder. The holder is named in the newest file
/// `lock.<number>` of the folder (host, process, batch job), whose time of change a thread
/// keeps fresh. A lock is taken by creating the next number, which succeeds for one job only;
/// numbers are never used twice while a file remains, so a slow contender cannot undo a
/// takeover. A holder that released, is silent for `stale_after` by the file server's own
/// clock, or is a dead process of this machine, may be followed.
class StudyLock {
 public:
  /// Throws core::ConfigurationError naming the live holder and what to do; core::SystemError
  /// where the folder cannot be written.
  explicit StudyLock(const std::filesystem::path& folder, LockOptions options = {});
  ~StudyLock();
  StudyLock(StudyLock&&) noexcept;
  StudyLock& operator=(StudyLock&&) = delete;

  /// True once another job has taken the lock over, because this one gave no sign of life for
  /// too long: stop writing.
  bool lost() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Who works in the folder, e.g. "process 12 on host a (job 7)"; nothing if nobody does. Takes
/// nothing and may be called by anybody.
std::optional<std::string> live_holder(const std::filesystem::path& folder,
                                       const LockOptions& options = {});

}  // namespace proxytune::study
