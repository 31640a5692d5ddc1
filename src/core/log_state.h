#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "proxytune/core/logging.h"
#include "proxytune/core/terminal.h"

namespace proxytune::core {

/// What all copies of a log share: its streams, and the bar on the last line of the terminal,
/// under one lock.
class Log::State {
 public:
  State(std::FILE* stream, std::string complaint_pattern)
      : stream_(stream), complaint_pattern_(std::move(complaint_pattern)) {}

  void show_on(Terminal terminal);
  bool draws_bars() const { return output && terminal_.bar; }
  const Terminal& terminal() const { return terminal_; }

  /// A line above the bar.
  void say(spdlog::logger& logger, spdlog::level::level_enum level, const std::string& line);
  /// `text` is asked for the bar's line, given the columns there are, at each drawing.
  void begin_bar(std::function<std::string(int)> text);
  void end_bar();
  void draw();

  /// Of this thread's LogTail.
  void begin_tail();
  void end_tail();
  void remember(const std::string& line);
  std::deque<std::string> tail();

  std::shared_ptr<spdlog::logger> output;  // null: not said
  std::shared_ptr<spdlog::logger> complaints;

 private:
  void draw_locked();
  void erase_locked();

  std::FILE* stream_;
  std::string complaint_pattern_;
  Terminal terminal_;
  std::mutex mutex_;
  std::function<std::string(int)> bar_;
  bool drawn_ = false;
  std::map<std::thread::id, std::deque<std::string>> tails_;
};

}  // namespace proxytune::core
