#pragma once

#include <memory>
#include <string>

namespace proxytune::core {

/// Where a rank says what it does: handed along as an argument, never global. Thread-safe.
class Log {
 public:
  /// Rank 0 writes information to standard output and warnings to standard error; the other
  /// ranks write warnings only, with their rank in front.
  static Log for_rank(int rank, int size);
  /// Says nothing, for tests.
  static Log silent();

  void info(const std::string& line) const;
  void warn(const std::string& line) const;
  /// Why the program ends. Any rank.
  void error(const std::string& line) const;

 private:
  struct State;
  explicit Log(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace proxytune::core
