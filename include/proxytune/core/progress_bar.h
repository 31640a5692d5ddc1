#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <string>

#include "proxytune/core/logging.h"

namespace proxytune::core {

/// "8 s", "4 min 12 s", "3 h 20 min".
std::string duration_text(double seconds);

/// What a bar shows.
struct BarState {
  std::string label;
  std::size_t done = 0;
  std::size_t total = 0;
  std::size_t running = 0;
  double best = std::numeric_limits<double>::quiet_NaN();  // not a number: none
  double seconds_elapsed = 0;
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  // not a number: unknown
};

/// One line of at most `columns` bytes without control characters:
///   sweep [#########-----------] 12/40, 2 running  best 0.8312  1 min 45 s elapsed, 4 min 1 s
///   left
/// Where there is less room the less important parts are left out, and the rest is cut.
std::string bar_text(const BarState& state, int columns);

/// Tells on the last line of a terminal how far a stage is, from construction to destruction;
/// the log's other lines appear above it, each with a bar drawn anew below. Without a terminal
/// (core::Terminal) it does nothing. One at a time for a log. Thread-safe.
class ProgressBar {
 public:
  ProgressBar(const Log& log, std::string label, std::size_t total);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// One more piece is given out.
  void begin();
  /// Pieces are done, now, so that their time tells how long the others will take.
  void end(std::size_t pieces = 1);
  /// Pieces are done since an earlier launch or stage.
  void skip(std::size_t pieces = 1);
  void best(double score);

 private:
  class State;
  std::unique_ptr<State> state_;  // null: nothing is drawn
};

}  // namespace proxytune::core
