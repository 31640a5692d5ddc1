#include "proxytune/work/hang_watch.h"

#include <algorithm>
#include <utility>

#include "proxytune/comm/bytes.h"
#include "proxytune/work/record.h"

namespace proxytune::work {
namespace {

/// Often enough for the timeout, seldom enough for rank 0 of many thousands.
std::chrono::milliseconds interval_for(double timeout) {
  return std::chrono::milliseconds(std::clamp(static_cast<int>(timeout * 100), 20, 10'000));
}

std::vector<std::byte> encode(const Sign& sign) {
  return comm::bytes_of(to_json(Record()
                                    .set("host", sign.at.host)
                                    .set("doing", sign.at.doing)
                                    .set("waits_for", sign.at.waits_for)
                                    .set("still", sign.still)));
}

Sign decode(std::span<const std::byte> bytes) {
  const Record record = from_json(comm::text_of(bytes));
  return {.at = {.host = record.text("host"),
                 .doing = record.text("doing"),
                 .waits_for = record.text("waits_for")},
          .still = record.number("still"),
          .silent = 0};
}

}  // namespace

HangWatch::HangWatch(comm::Communicator& group,
                     double timeout,
                     std::function<Whereabouts()> where,
                     std::function<void(const std::string& report)> hung)
    : channel_(group.duplicate()),
      timeout_(timeout),
      interval_(interval_for(timeout)),
      where_(std::move(where)),
      hung_(std::move(hung)),
      ranks_(static_cast<std::size_t>(channel_->size())),
      ticker_(interval_, [this] {
        try {
          look();
        } catch (const std::exception&) {
          // The channel fails while MPI does; whoever works over it says so.
          return;
        }
      }) {}

void HangWatch::look() {
  const auto now = std::chrono::steady_clock::now();
  // A process that was halted, or had no processor, learns nothing from the time.
  const double passed = std::min(std::chrono::duration<double>(now - looked_),
                                 std::chrono::duration<double>(2 * interval_))
                            .count();
  looked_ = now;
  update_own(passed);
  channel_->is_root() ? listen_as_root(passed) : listen_to_root(passed);
}

void HangWatch::update_own(double passed) {
  Sign& own = ranks_[static_cast<std::size_t>(channel_->rank())];
  Whereabouts at = where_();
  std::map<std::string, double> still;
  own.still = 0;
  for (const auto& [piece, steps] : at.steps) {
    const auto before = own.at.steps.find(piece);
    const bool came_further = before == own.at.steps.end() || before->second != steps;
    still[piece] = came_further ? 0 : still_[piece] + passed;
    own.still = std::max(own.still, still[piece]);
  }
  still_ = std::move(still);
  own.at = std::move(at);
}

void HangWatch::listen_as_root(double passed) {
  for (std::size_t rank = 1; rank < ranks_.size(); ++rank) {
    ranks_[rank].silent += passed;
    channel_->send({}, static_cast<int>(rank), comm::Tag::to_worker);
  }
  while (const auto message = channel_->try_receive(comm::Tag::to_manager))
    ranks_[static_cast<std::size_t>(message->from)] = decode(message->bytes);
  const std::string report = hang_report(ranks_, timeout_);
  if (!report.empty() && !std::exchange(reported_, true))
    hung_(report);
}

void HangWatch::listen_to_root(double passed) {
  Sign& root = ranks_.front();
  channel_->send(
      encode(ranks_[static_cast<std::size_t>(channel_->rank())]), 0, comm::Tag::to_manager);
  root.silent += passed;
  while (channel_->try_receive(comm::Tag::to_worker))
    root.silent = 0;
  // Rank 1 says it for all, unless it hangs as well.
  const double patience = timeout_ * (channel_->rank() == 1 ? 1.2 : 1.5);
  if (root.silent > patience && !std::exchange(reported_, true))
    hung_("a rank hangs: rank 0 has given no sign of life for " +
          std::to_string(static_cast<int>(root.silent)) + " s; rank " +
          std::to_string(channel_->rank()) + " on " +
          ranks_[static_cast<std::size_t>(channel_->rank())].at.host + " is at " +
          ranks_[static_cast<std::size_t>(channel_->rank())].at.doing);
}

}  // namespace proxytune::work
