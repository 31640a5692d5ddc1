#include "jobs/launch_account.h"

#include <exception>

namespace proxytune::jobs {
namespace {

/// Between two lines for pieces that end, which may be many a second.
constexpr std::chrono::seconds shortest(1);

}  // namespace

LaunchAccount::LaunchAccount(const StudyJournal& journal,
                             work::Account::Clock::time_point begun,
                             std::chrono::milliseconds heartbeat)
    : journal_(journal),
      account_(begun),
      noted_(work::Account::Clock::now()),
      ticker_(std::in_place, heartbeat, [this] { note(/*ended=*/false); }) {}

LaunchAccount::~LaunchAccount() {
  // A heartbeat after the last word would tell of a launch that was killed.
  ticker_.reset();
  note(/*ended=*/true);
}

void LaunchAccount::end(const std::string& piece, work::Account::End end) {
  account_.end(piece, end);
  {
    const std::scoped_lock lock(mutex_);
    const auto now = work::Account::Clock::now();
    if (now - noted_ < shortest)
      return;
    noted_ = now;
  }
  note(/*ended=*/false);
}

void LaunchAccount::note(bool ended) {
  try {
    journal_.note({"account", "launch", "", account_.so_far().set("ended", ended)});
  } catch (const std::exception&) {
    // The disk refuses. What is worth an error, a result that is not kept, says so itself.
    return;
  }
}

}  // namespace proxytune::jobs
