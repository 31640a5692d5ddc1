#include "proxytune/core/log_tail.h"

#include "log_state.h"

namespace proxytune::core {
namespace {

/// Not within a character: UTF-8's further bytes are 10xxxxxx.
std::string last_bytes(const std::string& text, std::size_t count) {
  std::size_t begin = text.size() - count;
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80)
    ++begin;
  return text.substr(begin);
}

}  // namespace

void Log::State::begin_tail() {
  const std::scoped_lock lock(mutex_);
  tails_[std::this_thread::get_id()].clear();
}

void Log::State::end_tail() {
  const std::scoped_lock lock(mutex_);
  tails_.erase(std::this_thread::get_id());
}

void Log::State::remember(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  const auto tail = tails_.find(std::this_thread::get_id());
  if (tail == tails_.end())
    return;
  tail->second.push_back(line);
  if (tail->second.size() > LogTail::max_lines)
    tail->second.pop_front();
}

std::deque<std::string> Log::State::tail() {
  const std::scoped_lock lock(mutex_);
  return tails_.at(std::this_thread::get_id());
}

LogTail::LogTail(const Log& log) : log_(log) {
  log_.state_->begin_tail();
}

LogTail::~LogTail() {
  log_.state_->end_tail();
}

std::string LogTail::text() const {
  std::string text;
  const std::deque<std::string> lines = log_.state_->tail();
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const std::string longer = text.empty() ? *line : *line + "\n" + text;
    if (longer.size() > max_bytes)
      return text.empty() ? last_bytes(longer, max_bytes) : text;
    text = longer;
  }
  return text;
}

}  // namespace proxytune::core
