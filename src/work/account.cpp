#include "proxytune/work/account.h"

#include <utility>

namespace proxytune::work {

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  work += other.work;
  waste += other.waste;
  idle += other.idle;
  return *this;
}

Account::Account(Clock::time_point begun, Now now)
    : now_(std::move(now)), begun_(begun), counted_until_(begun) {}

/// Counts the time since the last change.
void Account::advance() {
  const Clock::time_point now = now_();
  const double passed = std::chrono::duration<double>(now - counted_until_).count();
  counted_until_ = now;
  if (open_.empty())
    stages_[stage_].idle += passed;
  for (auto& [piece, open] : open_)
    open.fresh += passed / static_cast<double>(open_.size());
}

void Account::enter(const std::string& stage) {
  const std::scoped_lock lock(mutex_);
  advance();
  stage_ = stage;
}

void Account::begin(const std::string& piece) {
  const std::scoped_lock lock(mutex_);
  advance();
  open_.emplace(piece, Open{});
}

void Account::keep(const std::string& piece) {
  const std::scoped_lock lock(mutex_);
  advance();
  Open& open = open_.at(piece);
  ++open.steps;
  open.kept += std::exchange(open.fresh, 0);
}

void Account::end(const std::string& piece, End end) {
  const std::scoped_lock lock(mutex_);
  advance();
  const Open open = open_.extract(piece).mapped();
  StageSeconds& stage = stages_[stage_];
  (end == End::failed ? stage.waste : stage.work) += open.kept;
  (end == End::done ? stage.work : stage.waste) += open.fresh;
}

void Account::reach(const std::string& piece, std::string where) {
  const std::scoped_lock lock(mutex_);
  Open& open = open_.at(piece);
  ++open.steps;
  open.where = std::move(where);
}

void Account::step(const std::string& piece) {
  const std::scoped_lock lock(mutex_);
  ++open_.at(piece).steps;
}

std::string Account::doing() {
  constexpr std::size_t short_key = 24;  // of a trial enough to be found by
  const std::scoped_lock lock(mutex_);
  std::string text = stage_;
  for (const auto& [piece, open] : open_)
    text +=
        ", " + piece.substr(0, short_key) + (open.where.empty() ? "" : " (" + open.where + ")");
  return text;
}

std::map<std::string, std::uint64_t> Account::steps() {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::uint64_t> steps;
  for (const auto& [piece, open] : open_)
    steps[piece] = open.steps;
  return steps;
}

double Account::seconds(const std::string& piece) {
  const std::scoped_lock lock(mutex_);
  advance();
  const Open& open = open_.at(piece);
  return open.kept + open.fresh;
}

Record Account::so_far() {
  const std::scoped_lock lock(mutex_);
  advance();
  std::map<std::string, StageSeconds> stages = stages_;
  double fresh = 0;
  for (const auto& [piece, open] : open_) {
    stages[stage_].work += open.kept;
    fresh += open.fresh;
  }
  Record record;
  for (const auto& [stage, seconds] : stages) {
    record.set(stage + ".work", seconds.work);
    record.set(stage + ".waste", seconds.waste);
    record.set(stage + ".idle", seconds.idle);
  }
  record.set(stage_ + ".open", fresh);
  record.set("seconds", std::chrono::duration<double>(counted_until_ - begun_).count());
  return record;
}

std::map<std::string, StageSeconds> seconds_by_stage(const Record& account, bool at_work) {
  std::map<std::string, StageSeconds> stages;
  for (const auto& [name, value] : account.values()) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos)
      continue;
    const std::string use = name.substr(dot + 1);
    StageSeconds& stage = stages[name.substr(0, dot)];
    const double seconds = account.number(name);
    if (use == "idle")
      stage.idle += seconds;
    else if (use == "work" || (use == "open" && at_work))
      stage.work += seconds;
    else
      stage.waste += seconds;
  }
  return stages;
}

}  // namespace proxytune::work
