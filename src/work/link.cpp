#include "link.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace proxytune::work {

std::chrono::microseconds Patience::pause() const {
  using std::chrono::microseconds;
  const auto waited =
      std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - since_);
  return std::clamp(waited / 8, microseconds(50), microseconds(2000));
}

void RemoteLink::tell(const Report& report) {
  control_.send(encode(report), 0, comm::Tag::to_manager);
}

Order RemoteLink::wait(const std::function<void()>& look) {
  const Patience patience;
  for (;;) {
    if (const auto message = control_.try_receive(comm::Tag::to_worker))
      return decode_order(message->bytes);
    look();
    std::this_thread::sleep_for(patience.pause());
  }
}

void LocalLink::tell(const Report& report) {
  const std::scoped_lock lock(mutex_);
  reports_.push_back(report);
  told_.notify_one();
}

Order LocalLink::wait(const std::function<void()>&) {
  std::unique_lock lock(mutex_);
  given_.wait(lock, [&] { return !orders_.empty() || error_; });
  if (orders_.empty())
    std::rethrow_exception(error_);
  Order order = std::move(orders_.front());
  orders_.pop_front();
  return order;
}

void LocalLink::give(Order order) {
  const std::scoped_lock lock(mutex_);
  orders_.push_back(std::move(order));
  given_.notify_one();
}

std::optional<Report> LocalLink::next_report(std::chrono::microseconds patience) {
  std::unique_lock lock(mutex_);
  if (!told_.wait_for(lock, patience, [&] { return !reports_.empty(); }))
    return std::nullopt;
  Report report = std::move(reports_.front());
  reports_.pop_front();
  return report;
}

void LocalLink::break_off(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  error_ = std::move(error);
  given_.notify_one();
}

void work_until_sent_home(Link& link,
                          const std::function<Report(const Item&)>& attempt,
                          const std::atomic<bool>& stop) {
  bool stopped = false;
  const auto look = [&] {
    if (!stop || stopped)
      return;
    stopped = true;
    link.tell({Report::Kind::stopped, {}, {}});
  };
  link.tell({Report::Kind::ready, {}, {}});
  while (const std::optional<Item> item = link.wait(look).item) {
    // Once it has said so, a stopped rank declines what was on its way to it.
    const bool decline = stopped || stop;
    stopped = decline;
    link.tell(decline ? Report{Report::Kind::stopped, {}, {}} : attempt(*item));
  }
  link.tell({Report::Kind::goodbye, {}, {}});
}

}  // namespace proxytune::work
