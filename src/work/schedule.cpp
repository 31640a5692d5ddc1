#include "schedule.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "proxytune/core/error.h"

namespace proxytune::work {

template <class Step>
void Schedule::guarded(const Step& step) {
  try {
    step();
  } catch (const core::Stopped&) {
    stopping_ = true;
  } catch (...) {
    fail(comm::current_failure());
  }
}

void Schedule::fail(const comm::Failure& failure) {
  if (!failure_)
    failure_ = failure;
}

void Schedule::take(int rank, const Report& report) {
  if (report.kind == Report::Kind::ready || report.ready_too) {
    idle_.push_back(rank);
    ++free_[static_cast<std::size_t>(rank)];
  }
  switch (report.kind) {
    case Report::Kind::arrived:
      idle_.insert(idle_.end(), static_cast<std::size_t>(parts_.options.at_once), rank);
      ++arrived_;
      break;
    case Report::Kind::watches:
      ++arrived_;
      ++watching_;
      break;
    case Report::Kind::finished:
    case Report::Kind::again:
    case Report::Kind::failed:
    case Report::Kind::stopped:
      end(rank, report);
      break;
    case Report::Kind::stopping:
      stopping_ = true;
      break;
    case Report::Kind::ready:
    case Report::Kind::goodbye:
      break;
  }
}

void Schedule::end(int rank, const Report& report) {
  auto item = running_.extract(report.key);
  limits_.erase(report.key);
  if (report.kind == Report::Kind::failed)
    fail(report.failure);
  if (report.kind == Report::Kind::stopped)
    stopping_ = true;
  if (report.kind != Report::Kind::finished && report.kind != Report::Kind::again)
    return;
  guarded([&] {
    if (item.empty())
      throw std::logic_error("a rank finished a piece that it was not given");
    if (report.kind == Report::Kind::finished)
      return settle(item.mapped(), report.result, rank);
    const int attempt = ++item.mapped().attempt;
    const int limit =
        report.with_fewer ? std::max(1, places() >> std::min(attempt, 30)) : places();
    later_.push_back({std::move(item.mapped()), static_cast<std::size_t>(limit)});
    waiting_ = false;
  });
}

std::optional<Schedule::Assignment> Schedule::next() {
  if (ending() || done_ || waiting_ || full())
    return std::nullopt;
  const std::optional<std::size_t> chosen = freest();
  if (!chosen)
    return std::nullopt;
  std::optional<Item> item;
  guarded([&] {
    item = fetch();
    if (item) {
      to_json(item->what);  // if it cannot travel, refused here, where all ranks hear of it
      return;
    }
    waiting_ = true;
    if (!running_.empty())
      return;
    done_ = parts_.source.exhausted();
    if (!done_)
      fail({core::ExitCode::bug,
            "the source of stage " + parts_.options.stage +
                " gives no piece although none is running and it says that more will come"});
  });
  if (!item || failure_)
    return std::nullopt;
  const auto place = idle_.begin() + static_cast<std::ptrdiff_t>(*chosen);
  const int rank = *place;
  idle_.erase(place);
  --free_[static_cast<std::size_t>(rank)];
  running_.emplace(item->key, *item);
  ++handed_out_;
  return Assignment{rank, std::move(*item)};
}

/// Where in idle_ the rank stands that does the fewest pieces.
std::optional<std::size_t> Schedule::freest() const {
  const auto found = std::ranges::max_element(
      idle_, {}, [&](int rank) { return free_[static_cast<std::size_t>(rank)]; });
  if (found == idle_.end())
    return std::nullopt;
  // A rank's second piece is another rank's first one, as soon as that has come.
  const bool has_one = free_[static_cast<std::size_t>(*found)] < parts_.options.at_once;
  if (has_one && arrived_ < static_cast<int>(free_.size()))
    return std::nullopt;
  return static_cast<std::size_t>(found - idle_.begin());
}

int Schedule::places() const {
  return (static_cast<int>(free_.size()) - watching_) * parts_.options.at_once;
}

std::optional<Item> Schedule::fetch() {
  while (std::optional<Item> item = parts_.source.next()) {
    if (answer_without_work(*item))
      continue;
    const std::string piece = parts_.options.stage + "/" + item->key;
    if (const auto retried = parts_.past.retried.find(piece);
        retried != parts_.past.retried.end())
      item->attempt = retried->second;
    if (!is_at_last_chance(piece))
      return item;
    later_.push_back({std::move(*item), 1});
  }
  return fetch_later();
}

/// Later than all that the source has, when others have given their memory back.
std::optional<Item> Schedule::fetch_later() {
  if (later_.empty() || running_.size() >= later_.front().limit)
    return std::nullopt;
  Later later = std::move(later_.front());
  later_.pop_front();
  if (later.limit < static_cast<std::size_t>(places()))
    limits_[later.item.key] = later.limit;
  return std::move(later.item);
}

/// Its starts all died but one that is allowed. Which of the pieces that ran beside each other
/// killed the process is not known; alone, the others end.
bool Schedule::is_at_last_chance(const std::string& piece) const {
  const auto attempts = parts_.past.attempts.find(piece);
  return attempts != parts_.past.attempts.end() && attempts->second > 0 &&
         attempts->second + 1 >= parts_.options.max_attempts;
}

/// Whether a running piece allows no other beside those that run.
bool Schedule::full() const {
  return std::any_of(limits_.begin(), limits_.end(), [&](const auto& limit) {
    return running_.size() >= limit.second;
  });
}

bool Schedule::answer_without_work(const Item& item) {
  if (const auto known = results_.find(item.key); known != results_.end()) {
    say(item, known->second, -1);
    return true;
  }
  if (running_.contains(item.key) || std::ranges::any_of(later_, [&](const Later& later) {
        return later.item.key == item.key;
      })) {
    twins_[item.key].push_back(item);
    return true;
  }
  const std::string piece = parts_.options.stage + "/" + item.key;
  if (const auto past = parts_.past.finished.find(piece); past != parts_.past.finished.end()) {
    settle(item, past->second, -1);
    return true;
  }
  const auto attempts = parts_.past.attempts.find(piece);
  if (attempts == parts_.past.attempts.end() || attempts->second < parts_.options.max_attempts)
    return false;
  // Not into the journal: a later launch that allows more attempts may try again.
  settle(item, parts_.lost(item), 0);
  return true;
}

void Schedule::settle(const Item& item, const Record& result, int rank) {
  results_[item.key] = result;
  say(item, result, rank);
  const auto twins = twins_.extract(item.key);
  if (twins.empty())
    return;
  for (const Item& twin : twins.mapped())
    say(twin, result, -1);
}

void Schedule::say(const Item& item, const Record& result, int rank) {
  waiting_ = false;
  ++reported_;
  parts_.source.report(item, result);
  if (parts_.progress)
    parts_.progress({reported_, handed_out_, &item, &result, rank});
}

Outcome Schedule::outcome() const {
  if (failure_)
    return {failure_, {}};
  if (stopping_)
    return {comm::Failure{core::ExitCode::stopped,
                          "stopped early in stage " + parts_.options.stage + " with " +
                              std::to_string(results_.size()) +
                              " pieces done; the same command goes on from here"},
            {}};
  return {std::nullopt, results_};
}

}  // namespace proxytune::work
