#include "link.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "proxytune/core/error.h"

namespace proxytune::work {

std::chrono::microseconds Patience::pause() const {
  using std::chrono::microseconds;
  const auto waited =
      std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - since_);
  return std::clamp(waited / 8, microseconds(50), microseconds(500));
}

void Inbox::give(Order order) {
  const std::scoped_lock lock(mutex_);
  orders_.push_back(std::move(order));
  given_.notify_one();
}

void Inbox::break_off(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  if (!error_)
    error_ = std::move(error);
  given_.notify_all();
}

Order Inbox::wait() {
  std::unique_lock lock(mutex_);
  given_.wait(lock, [&] { return !orders_.empty() || error_; });
  if (orders_.empty())
    std::rethrow_exception(error_);
  if (orders_.front().kind == Order::Kind::go_home) {
    given_.notify_all();
    return orders_.front();
  }
  Order order = std::move(orders_.front());
  orders_.pop_front();
  return order;
}

RemoteLink::RemoteLink(comm::Communicator& control, std::atomic<bool>& stop)
    : control_(control), stop_(stop), thread_([this](const std::stop_token& broken_off) {
        try {
          listen(broken_off);
        } catch (...) {
          inbox_.break_off(std::current_exception());
        }
      }) {}

void RemoteLink::listen(const std::stop_token& broken_off) {
  Patience patience;
  while (!broken_off.stop_requested()) {
    if (const auto message = control_.try_receive(comm::Tag::to_worker)) {
      if (take(decode_order(message->bytes)))
        return;
      patience.reset();
    }
    if (stop_ && !manager_knows_) {
      manager_knows_ = true;
      tell({.kind = Report::Kind::stopping});
    }
    std::this_thread::sleep_for(patience.pause());
  }
}

bool RemoteLink::take(Order order) {
  if (order.kind == Order::Kind::stop) {
    manager_knows_ = true;
    stop_ = true;
    return false;
  }
  const bool last = order.kind == Order::Kind::go_home;
  inbox_.give(std::move(order));
  return last;
}

void RemoteLink::tell(const Report& report) {
  control_.send(encode(report), 0, comm::Tag::to_manager);
}

void LocalLink::tell(const Report& report) {
  const std::scoped_lock lock(mutex_);
  reports_.push_back(report);
  told_.notify_one();
}

std::optional<Report> LocalLink::next_report(std::chrono::microseconds patience) {
  std::unique_lock lock(mutex_);
  if (!told_.wait_for(lock, patience, [&] { return !reports_.empty(); }))
    return std::nullopt;
  Report report = std::move(reports_.front());
  reports_.pop_front();
  return report;
}

namespace {

/// One piece after the other.
void follow_orders(Link& link,
                   const std::function<void(const Item&)>& attempt,
                   const std::atomic<bool>& stop) {
  for (Order order = link.wait(); order.kind == Order::Kind::work; order = link.wait())
    // A piece that was on its way when the stop came is declined.
    if (stop)
      link.tell({.kind = Report::Kind::stopped, .key = order.item.key});
    else
      attempt(order.item);
}

}  // namespace

void work_until_sent_home(Link& link,
                          int at_once,
                          const std::function<void(const Item&)>& attempt,
                          const std::function<void()>& leave,
                          std::atomic<bool>& stop) {
  link.tell({.kind = at_once > 0 ? Report::Kind::arrived : Report::Kind::watches});
  std::mutex mutex;
  std::exception_ptr first_error;
  const auto work = [&] {
    try {
      follow_orders(link, attempt, stop);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!first_error)
        first_error = std::current_exception();
      stop = true;
      link.break_off(first_error);
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (static_cast<int>(others.size()) < at_once - 1)
        others.emplace_back(work);
    } catch (const std::system_error& error) {
      // Ends the work on all ranks, and the threads that are there with it.
      link.tell({.kind = Report::Kind::failed,
                 .failure = {core::ExitCode::system,
                             "a rank cannot start " + std::to_string(at_once) +
                                 " threads of work: " + error.code().message()}});
    }
    work();
  }
  if (first_error)
    std::rethrow_exception(first_error);
  leave();
  link.tell({.kind = Report::Kind::goodbye});
}

}  // namespace proxytune::work
