#include "manager.h"

#include <utility>

namespace proxytune::work {

Manager::Manager(comm::Communicator& control,
                 LocalLink& local,
                 Schedule::Parts parts,
                 std::atomic<bool>& stop)
    : control_(control),
      local_(local),
      stop_(stop),
      schedule_(parts),
      thread_([this](const std::stop_token& broken_off) {
        try {
          serve(broken_off);
        } catch (...) {
          error_ = std::current_exception();
          local_.inbox().break_off(error_);
        }
      }) {}

Outcome Manager::outcome() {
  thread_.join();
  if (error_)
    std::rethrow_exception(error_);
  return schedule_.outcome();
}

void Manager::serve(const std::stop_token& broken_off) {
  Patience patience;
  bool stop_spread = false;
  bool sent_home = false;
  while (goodbyes_ < control_.size() && !broken_off.stop_requested()) {
    bool busy = take_reports();
    if (stop_)
      schedule_.stop();
    busy = give_orders() || busy;
    if (!stop_spread && schedule_.ending()) {
      spread_stop();
      stop_spread = true;
    }
    if (!sent_home && schedule_.over()) {
      send_home();
      sent_home = true;
    }
    if (busy)
      patience.reset();
    // Sleeps here; a report of this rank's own main thread wakes it.
    if (const auto report = local_.next_report(patience.pause())) {
      goodbyes_ += report->kind == Report::Kind::goodbye ? 1 : 0;
      schedule_.take(0, *report);
      patience.reset();
    }
  }
}

bool Manager::take_reports() {
  bool any = false;
  while (const auto message = control_.try_receive(comm::Tag::to_manager)) {
    const Report report = decode_report(message->bytes);
    goodbyes_ += report.kind == Report::Kind::goodbye ? 1 : 0;
    schedule_.take(message->from, report);
    any = true;
  }
  return any;
}

bool Manager::give_orders() {
  bool any = false;
  while (auto assignment = schedule_.next()) {
    give(assignment->rank, {Order::Kind::work, std::move(assignment->item)});
    any = true;
  }
  return any;
}

/// After a stop and after an error alike: what runs on other ranks would be of no use soon.
void Manager::spread_stop() {
  stop_ = true;
  for (int rank = 1; rank < control_.size(); ++rank)
    give(rank, {Order::Kind::stop, {}});
}

void Manager::send_home() {
  for (int rank = 0; rank < control_.size(); ++rank)
    give(rank, {Order::Kind::go_home, {}});
}

void Manager::give(int rank, Order order) {
  if (rank == 0) {
    local_.inbox().give(std::move(order));
  } else {
    control_.send(encode(order), rank, comm::Tag::to_worker);
  }
}

}  // namespace proxytune::work
