#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace proxytune::store {

/// How long all ranks may take for one collective step of writing `bytes`, before one of them
/// is taken to have failed inside MPI-IO: PROXYTUNE_IO_PATIENCE seconds (default 120), and what
/// the bytes take at 1 MB/s. Throws core::ConfigurationError for a value that is no positive
/// number.
std::chrono::seconds io_patience(std::uint64_t bytes);

/// For a rank inside a collective call of HDF5, where it may wait for ever for one that failed,
/// or be waited for: unless this object is gone in time, because the ranks agreed on their
/// outcome, it prints a sentence, removes the file and ends the job with code 4.
class AgreementDeadline {
 public:
  AgreementDeadline(std::chrono::seconds patience, std::filesystem::path file);
  ~AgreementDeadline();
  AgreementDeadline(const AgreementDeadline&) = delete;
  AgreementDeadline& operator=(const AgreementDeadline&) = delete;

  /// This rank failed: the others have some seconds left to come to the agreement.
  void failed(const std::string& sentence);

 private:
  using Clock = std::chrono::steady_clock;

  std::string sentence_;
  std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Clock::time_point end_;
  bool agreed_ = false;
  std::thread clock_;  // last: the others are whole when it starts
};

}  // namespace proxytune::store
