#include "proxytune/core/progress_bar.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "log_state.h"

namespace proxytune::core {
namespace {

/// Time goes on while nothing happens.
constexpr double longest_without_drawing = 1;  // in seconds

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// How far a stage is, and how long the rest will take.
class Count {
 public:
  Count(std::string label, std::size_t total, double now) : start_(now), last_end_(now) {
    shown_.label = std::move(label);
    shown_.total = total;
  }

  void begin() { ++begun_; }
  void skip(std::size_t pieces) { shown_.done += pieces; }
  void end(std::size_t pieces, double now) {
    shown_.done += pieces;
    done_here_ += pieces;
    last_end_ = now;
  }
  void best(double score) { shown_.best = score; }
  bool complete() const { return shown_.done >= shown_.total; }

  BarState at(double now) const {
    BarState state = shown_;
    state.running = begun_ > shown_.done ? begun_ - shown_.done : 0;
    state.seconds_elapsed = now - start_;
    if (done_here_ == 0 || complete())
      return state;
    // As of the piece that ended last, counted down since. Once it is up the guess was wrong,
    // and nothing is said until the next piece ends.
    const double each = (last_end_ - start_) / static_cast<double>(done_here_);
    const double left =
        each * static_cast<double>(shown_.total - shown_.done) - (now - last_end_);
    if (left >= 0)
      state.seconds_left = left;
    return state;
  }

 private:
  BarState shown_;
  std::size_t begun_ = 0;
  std::size_t done_here_ = 0;
  double start_;
  double last_end_;
};

}  // namespace

class ProgressBar::State {
 public:
  State(std::shared_ptr<Log::State> log, std::string label, std::size_t total)
      : log_(std::move(log)),
        seconds_(log_->terminal().seconds ? log_->terminal().seconds : steady_seconds),
        count_(std::move(label), total, seconds_()) {
    log_->begin_bar([this](int columns) { return text(columns); });
    if (log_->terminal().redraw.count() > 0)
      redrawing_ = std::jthread([this](const std::stop_token& ended) { redraw(ended); });
  }

  ~State() {
    if (redrawing_.joinable()) {
      redrawing_.request_stop();
      redrawing_.join();
    }
    log_->end_bar();
  }

  template <class Change>
  void update(const Change& change) {
    const double now = seconds_();
    const std::scoped_lock lock(mutex_);
    change(count_, now);
    changed_ = true;
  }

 private:
  /// Called by the log, under its lock.
  std::string text(int columns) {
    const double now = seconds_();
    const std::scoped_lock lock(mutex_);
    last_drawn_ = now;
    changed_ = false;
    return bar_text(count_.at(now), columns);
  }

  bool due() {
    const double now = seconds_();
    const std::scoped_lock lock(mutex_);
    return changed_ || now - last_drawn_ >= longest_without_drawing;
  }

  /// Not at each change: tiles of a pair matrix may end by the thousand.
  void redraw(const std::stop_token& ended) {
    std::mutex alone;
    std::unique_lock lock(alone);
    std::condition_variable_any wake;
    while (!ended.stop_requested()) {
      wake.wait_for(lock, ended, log_->terminal().redraw, [] { return false; });
      if (!ended.stop_requested() && due())
        log_->draw();
    }
  }

  std::shared_ptr<Log::State> log_;
  std::function<double()> seconds_;
  std::mutex mutex_;  // taken after the log's, never before it
  Count count_;
  double last_drawn_ = 0;
  bool changed_ = false;
  std::jthread redrawing_;
};

ProgressBar::ProgressBar(const Log& log, std::string label, std::size_t total) {
  if (log.state_->draws_bars())
    state_ = std::make_unique<State>(log.state_, std::move(label), total);
}

ProgressBar::~ProgressBar() = default;

void ProgressBar::begin() {
  if (state_)
    state_->update([](Count& count, double) { count.begin(); });
}

void ProgressBar::end(std::size_t pieces) {
  if (state_)
    state_->update([&](Count& count, double now) { count.end(pieces, now); });
}

void ProgressBar::skip(std::size_t pieces) {
  if (state_)
    state_->update([&](Count& count, double) { count.skip(pieces); });
}

void ProgressBar::best(double score) {
  if (state_)
    state_->update([&](Count& count, double) { count.best(score); });
}

}  // namespace proxytune::core
