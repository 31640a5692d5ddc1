#pragma once

#include <chrono>
#include <string>

#include "proxytune/core/logging.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// One line per finished trial: done/total, what, how good, best so far, time left.
class TrialLines {
 public:
  TrialLines(const core::Log& log, core::ProgressBar& bar, std::string label, std::size_t total)
      : log_(log), bar_(bar), label_(std::move(label)), total_(total) {}

  void operator()(const work::Progress& progress);

 private:
  const core::Log& log_;
  core::ProgressBar& bar_;
  std::string label_;
  std::size_t total_;
  std::size_t done_here_ = 0;
  double best_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace proxytune::jobs
