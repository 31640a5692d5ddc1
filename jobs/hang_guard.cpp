#include "jobs/hang_guard.h"

#include <fmt/format.h>

#include "proxytune/core/error.h"

namespace proxytune::jobs {

work::Whereabouts Waits::whereabouts(work::Account& account) const {
  work::Whereabouts at{.host = comm::host_name(), .doing = account.doing(), .waits_for = ""};
  at.steps = account.steps();
  const char* const operation = operation_;
  if (operation != nullptr)
    at.waits_for = operation;
  else if (given_out_ && at.steps.empty())
    at.waits_for = "the hand-out of pieces";
  if (at.steps.empty() || operation != nullptr)
    at.steps[""] = changes_;
  return at;
}

std::unique_ptr<work::HangWatch> guard_against_hangs(comm::Communicator& world,
                                                     const core::Log& log,
                                                     double timeout,
                                                     const Waits& waits,
                                                     work::Account& account) {
  if (timeout == 0)
    return nullptr;
  return std::make_unique<work::HangWatch>(
      world,
      timeout,
      [&waits, &account] { return waits.whereabouts(account); },
      [log, timeout](const std::string& report) {
        log.error(
            fmt::format("{}\nThe job is ended (compute.hang_timeout is {:g} s); the same "
                        "command goes on from the last checkpoints. If the work is only "
                        "slow, allow more time",
                        report,
                        timeout));
        comm::MpiEnvironment::abort(static_cast<int>(core::ExitCode::system));
      });
}

}  // namespace proxytune::jobs
