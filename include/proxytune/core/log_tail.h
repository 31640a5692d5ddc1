#pragma once

#include <string>

#include "proxytune/core/logging.h"

namespace proxytune::core {

/// Remembers the last lines that this thread tells a log, shown or not, from construction to
/// destruction on the same thread; one at a time for each thread.
class LogTail {
 public:
  static constexpr std::size_t max_lines = 20;
  static constexpr std::size_t max_bytes = 2048;

  explicit LogTail(const Log& log);
  ~LogTail();
  LogTail(const LogTail&) = delete;
  LogTail& operator=(const LogTail&) = delete;

  /// At most max_lines and max_bytes, whole lines where they fit, without the last line end.
  std::string text() const;

 private:
  Log log_;
};

}  // namespace proxytune::core
