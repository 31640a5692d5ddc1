#include "proxytune/core/logging.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "log_state.h"

namespace proxytune::core {
namespace {

/// To the line's beginning, and erase to its end (ECMA-48: EL).
constexpr const char* erase_line = "\r\x1b[K";

std::shared_ptr<spdlog::logger> logger_to(std::FILE* stream,
                                          const char* name,
                                          const std::string& pattern,
                                          spdlog::level::level_enum flushed) {
  using Sink = spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>;
  auto logger = std::make_shared<spdlog::logger>(name, std::make_shared<Sink>(stream));
  logger->set_pattern(pattern);
  logger->flush_on(flushed);
  return logger;
}

}  // namespace

void Log::State::show_on(Terminal terminal) {
  const std::scoped_lock lock(mutex_);
  terminal_ = std::move(terminal);
  // Standard output and error come through different pipes of a launcher, in any order, and
  // other ranks do not know what rank 0 has drawn: a complaint makes room for itself.
  if (terminal_.shows_errors)
    complaints->set_pattern(erase_line + complaint_pattern_);
}

void Log::State::say(spdlog::logger& logger,
                     spdlog::level::level_enum level,
                     const std::string& line) {
  const std::scoped_lock lock(mutex_);
  erase_locked();
  logger.log(level, line);
  draw_locked();
}

void Log::State::begin_bar(std::function<std::string(int)> text) {
  const std::scoped_lock lock(mutex_);
  bar_ = std::move(text);
  draw_locked();
}

void Log::State::end_bar() {
  const std::scoped_lock lock(mutex_);
  erase_locked();
  bar_ = nullptr;
}

void Log::State::draw() {
  const std::scoped_lock lock(mutex_);
  draw_locked();
}

void Log::State::draw_locked() {
  if (!bar_)
    return;
  // In the last column a terminal may wrap, or take the last character for the one to erase.
  const std::string text = "\r" + bar_(terminal_.columns() - 1) + "\x1b[K";
  std::fputs(text.c_str(), stream_);
  std::fflush(stream_);
  drawn_ = true;
}

void Log::State::erase_locked() {
  if (!std::exchange(drawn_, false))
    return;
  std::fputs(erase_line, stream_);
  std::fflush(stream_);
}

Log::Log(std::shared_ptr<State> state) : state_(std::move(state)) {}

Log Log::for_rank(int rank, int size) {
  return for_streams(rank, size, stdout, stderr);
}

Log Log::for_streams(int rank, int size, std::FILE* output, std::FILE* errors) {
  const std::string pattern = size > 1 ? fmt::format("rank {}: %l: %v", rank) : "%l: %v";
  auto state = std::make_shared<State>(output, pattern);
  // A batch job's log is a file: people follow it with tail.
  if (rank == 0)
    state->output = logger_to(output, "output", "%v", spdlog::level::info);
  state->complaints = logger_to(errors, "complaints", pattern, spdlog::level::warn);
  return Log(std::move(state));
}

Log Log::silent() {
  return Log(std::make_shared<State>(nullptr, ""));
}

void Log::show_on(const Terminal& terminal) {
  if (state_->complaints)
    state_->show_on(terminal);
}

void Log::info(const std::string& line) const {
  state_->remember(line);
  if (state_->output)
    state_->say(*state_->output, spdlog::level::info, line);
}

void Log::detail(const std::string& line) const {
  state_->remember(line);
}

void Log::warn(const std::string& line) const {
  state_->remember("warning: " + line);
  if (state_->complaints)
    state_->say(*state_->complaints, spdlog::level::warn, line);
}

void Log::error(const std::string& line) const {
  state_->remember("error: " + line);
  if (state_->complaints)
    state_->say(*state_->complaints, spdlog::level::err, line);
}

}  // namespace proxytune::core
