#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace proxytune::store {

/// For a rank that failed inside a collective call of HDF5, where the others may wait for it
/// for ever: unless this object is gone within some seconds, because the ranks agreed that they
/// failed, it prints the sentence, removes the file and ends the job with code 4.
class FailureDeadline {
 public:
  FailureDeadline(std::string sentence, std::filesystem::path file);
  ~FailureDeadline();
  FailureDeadline(const FailureDeadline&) = delete;
  FailureDeadline& operator=(const FailureDeadline&) = delete;

 private:
  std::string sentence_;
  std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool agreed_ = false;
  std::thread clock_;
};

}  // namespace proxytune::store
