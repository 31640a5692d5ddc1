#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace proxytune::core {

struct Terminal;

/// Where a rank says what it does: handed along as an argument, never global. Thread-safe.
class Log {
 public:
  /// Rank 0 writes information to standard output and warnings to standard error; the other
  /// ranks write warnings only, with their rank in front.
  static Log for_rank(int rank, int size);
  /// The same into other streams, which outlive the log.
  static Log for_streams(int rank, int size, std::FILE* output, std::FILE* errors);
  /// Says nothing, for tests.
  static Log silent();

  /// From here on, on all copies, a ProgressBar may be drawn there. Not while one is.
  void show_on(const Terminal& terminal);

  void info(const std::string& line) const;
  /// Shown nowhere; only a LogTail hears it.
  void detail(const std::string& line) const;
  void warn(const std::string& line) const;
  /// Why the program ends. Any rank.
  void error(const std::string& line) const;

 private:
  friend class LogTail;
  friend class ProgressBar;
  class State;
  explicit Log(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace proxytune::core
