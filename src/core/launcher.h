#pragma once

#include <optional>
#include <utility>

#include <sys/types.h>

namespace proxytune::core {

/// A terminal that is held open.
class TerminalDevice {
 public:
  explicit TerminalDevice(int descriptor) : descriptor_(descriptor) {}
  ~TerminalDevice();
  TerminalDevice(TerminalDevice&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  TerminalDevice& operator=(TerminalDevice&&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// The nearest process above this one with another standard output: what a launcher that hands
/// each rank a pseudo-terminal looks like from below, whatever shells stand in between. None:
/// there is none, or /proc does not show it.
std::optional<pid_t> process_behind_output();

/// The terminal that a process has as standard output (1) or error (2), if it is one that we
/// may open.
std::optional<TerminalDevice> terminal_of_process(pid_t process, int descriptor);

/// Whether both are the same open device or file.
bool same_file(pid_t one, int one_descriptor, pid_t other, int other_descriptor);

/// Whether a launcher was told to put tags before lines, or to copy them into files.
bool rewrites_lines(pid_t launcher);

}  // namespace proxytune::core
