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
  if (report.kind == Report::Kind::ready || report.ready_too)
    idle_.push_back(rank);
  switch (report.kind) {
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
    const int limit = report.with_fewer ? std::max(1, ranks_ >> std::min(attempt, 30)) : ranks_;
    again_.push_back({std::move(item.mapped()), static_cast<std::size_t>(limit)});
    waiting_ = false;
  });
}

std::optional<Schedule::Assignment> Schedule::next() {
  if (ending() || done_ || waiting_ || idle_.empty() || full())
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
  const int rank = idle_.front();
  idle_.pop_front();
  running_.emplace(item->key, *item);
  ++handed_out_;
  return Assignment{rank, std::move(*item)};
}

std::optional<Item> Schedule::fetch() {
  while (std::optional<Item> item = parts_.source.next()) {
    if (answer_without_work(*item))
      continue;
    const auto retried = parts_.past.retried.find(parts_.options.stage + "/" + item->key);
    if (retried != parts_.past.retried.end())
      item->attempt = retried->second;
    return item;
  }
  return fetch_again();
}

/// Later than all that the source has, when others have given their memory back.
std::optional<Item> Schedule::fetch_again() {
  if (again_.empty() || running_.size() >= again_.front().limit)
    return std::nullopt;
  OnceMore once_more = std::move(again_.front());
  again_.pop_front();
  if (once_more.limit < static_cast<std::size_t>(ranks_))
    limits_[once_more.item.key] = once_more.limit;
  return std::move(once_more.item);
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
  if (running_.contains(item.key)) {
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
