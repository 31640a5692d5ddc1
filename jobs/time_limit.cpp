#include "jobs/time_limit.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/core/duration.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

constexpr const char* slurm_variable = "SLURM_JOB_END_TIME";  // seconds since 1970

TimeLimit of_slurm() {
  const char* const text = std::getenv(slurm_variable);
  if (text == nullptr)
    return {};
  const std::string_view digits(text);
  std::int64_t end = 0;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), end);
  if (error != std::errc() || last != digits.data() + digits.size() || end == 0)
    return {};  // a job without a limit
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<double>(end) - now.count(), slurm_variable};
}

TimeLimit here(const ComputeOptions& options) {
  TimeLimit limit = of_slurm();
  if (const auto own = core::seconds_of(options.time_limit); own && *own < limit.seconds)
    limit = {*own, "compute.time_limit"};
  if (limit.seconds <= 0)
    throw core::ConfigurationError(
        fmt::format("by {} this job ended {:.0f} s ago; unset it where it is left from a job "
                    "that has ended",
                    limit.name,
                    -limit.seconds));
  if (limit.seconds <= options.grace)
    throw core::ConfigurationError(
        fmt::format("by {} this job has {:.0f} s, which is less than compute.grace ({:g} s): "
                    "give it more time, or set compute.grace to what a step and a checkpoint "
                    "of a trial need",
                    limit.name,
                    limit.seconds,
                    options.grace));
  return limit;
}

}  // namespace

TimeLimit agreed_time_limit(comm::Communicator& world, const ComputeOptions& options) {
  const std::string text = comm::from_root(world, [&] {
    const TimeLimit limit = here(options);
    return fmt::format("{} {}", limit.seconds, limit.name);
  });
  const std::size_t space = text.find(' ');
  return {std::strtod(text.c_str(), nullptr), text.substr(space + 1)};
}

}  // namespace proxytune::jobs
