#include "proxytune/core/logging.h"

#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace proxytune::core {

struct Log::State {
  std::shared_ptr<spdlog::logger> output;  // null: not said
  std::shared_ptr<spdlog::logger> complaints;
};

Log::Log(std::shared_ptr<State> state) : state_(std::move(state)) {}

Log Log::for_rank(int rank, int size) {
  auto state = std::make_shared<State>();
  if (rank == 0) {
    state->output = std::make_shared<spdlog::logger>(
        "output", std::make_shared<spdlog::sinks::stdout_sink_mt>());
    state->output->set_pattern("%v");
    // A batch job's log is a file: people follow it with tail.
    state->output->flush_on(spdlog::level::info);
  }
  state->complaints = std::make_shared<spdlog::logger>(
      "complaints", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  state->complaints->set_pattern(size > 1 ? fmt::format("rank {}: %l: %v", rank) : "%l: %v");
  state->complaints->flush_on(spdlog::level::warn);
  return Log(std::move(state));
}

Log Log::silent() {
  return Log(std::make_shared<State>());
}

void Log::info(const std::string& line) const {
  if (state_->output)
    state_->output->info(line);
}
void Log::warn(const std::string& line) const {
  if (state_->complaints)
    state_->complaints->warn(line);
}

void Log::error(const std::string& line) const {
  if (state_->complaints)
    state_->complaints->error(line);
}

}  // namespace proxytune::core
