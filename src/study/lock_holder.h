#pragma once

#include <string>
#include <string_view>

namespace proxytune::study {

/// Who holds a lock: what its file says.
struct LockHolder {
  std::string host;
  std::string machine;  // boot and process space: where process numbers can be compared
  std::string process;
  std::string process_start;  // tells a process from a later one with its number
  std::string job;            // of the batch system, empty without
  bool released = false;
};

LockHolder this_process();
std::string to_text(const LockHolder& holder);
/// Empty fields for a text that is torn: its writer is about to finish it, or died.
LockHolder holder_from(std::string_view text);
/// True if the holder ran on this machine and is no more.
bool is_dead_here(const LockHolder& holder);
/// "process 12 on host a (job 7)".
std::string name_of(const LockHolder& holder);

}  // namespace proxytune::study
