// What handing out trials costs, and how the same decisions would go on many devices.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <queue>
#include <string>
#include <vector>

#include "proxytune/comm/agree.h"
#include "proxytune/core/random.h"
#include "proxytune/work/distribute.h"
#include "work/schedule.h"

namespace proxytune {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// As long as a trial's: 24 and 12 cases, and a network's text.
std::vector<work::Item> items(std::size_t count) {
  const std::string text(300, 't');
  std::vector<work::Item> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({"trial" + std::to_string(i),
                      work::Record()
                          .set("network", text)
                          .set("cases", std::string(36 * 32, 'c'))
                          .set("place", static_cast<std::int64_t>(i)),
                      1});
  return result;
}

/// And its result: the curves of 40 epochs.
work::Record result_of(double seconds) {
  return work::Record()
      .set("seconds", seconds)
      .set("losses", std::vector<double>(40, 0.5))
      .set("dice", std::vector<double>(40, 0.25));
}

int run_empty(const std::string& folder, std::size_t count) {
  const auto world = comm::world_communicator();
  const work::JournalContents past =
      work::read_journal(folder, "benchmark", core::Log::silent());
  world->barrier();
  work::Journal journal(folder, "benchmark", "launch0", world->rank());
  work::ListSource source(items(count));
  std::atomic<bool> stop = false;
  world->barrier();
  const auto start = Clock::now();
  work::distribute(
      *world,
      world->is_root() ? &source : nullptr,
      journal,
      past,
      [](const work::Item&) { return result_of(0); },
      [](const work::Item&) { return work::Record(); },
      {.stage = "trial", .max_attempts = 3},
      stop,
      {});
  const double seconds = seconds_since(start);
  if (world->is_root())
    std::cout << "ranks=" << world->size() << " trials=" << count << " seconds=" << seconds
              << " trials_per_second=" << static_cast<double>(count) / seconds << '\n';
  return 0;
}

struct Told {
  double at;
  int rank;
  std::uint64_t order;  // of two at one time, the first told
  bool finished;
  bool operator>(const Told& other) const {
    return at != other.at ? at > other.at : order > other.order;
  }
};

/// Trials of the given durations, each with what is expected of it, on `devices` ranks, under
/// work::Schedule itself. What the
/// schedule takes for a decision is measured here and stands in the simulated time, where the
/// manager does one thing after the other; `message` seconds pass between a rank and it.
int simulate(int devices, double message, const std::string& folder) {
  std::vector<double> durations;
  std::vector<work::Item> all;
  double total = 0;
  double expected = 0;
  for (double seconds = 0; std::cin >> seconds >> expected; total += seconds) {
    const auto place = static_cast<std::int64_t>(durations.size());
    all.push_back(
        {"trial" + std::to_string(place), work::Record().set("place", place), expected});
    durations.push_back(seconds);
  }
  work::ListSource source(std::move(all));
  work::Journal journal(folder, "benchmark", "simulated", 0);
  const work::JournalContents past;
  const std::function<work::Record(const work::Item&)> lost;
  const work::DistributeOptions options{.stage = "trial", .max_attempts = 3};
  const std::function<void(const work::Progress&)> progress;
  work::Schedule schedule({source, journal, past, lost, options, progress}, devices);
  std::priority_queue<Told, std::vector<Told>, std::greater<>> told;
  std::uint64_t order = 0;
  for (int rank = 0; rank < devices; ++rank)
    told.push({message, rank, order++, false});
  std::vector<std::string> current(static_cast<std::size_t>(devices));
  double free = 0;  // when the manager is
  double end = 0;
  double deciding = 0;
  while (!told.empty()) {
    const Told next = told.top();
    told.pop();
    const auto start = Clock::now();
    const auto place = static_cast<std::size_t>(next.rank);
    schedule.take(next.rank,
                  next.finished ? work::Report{.kind = work::Report::Kind::finished,
                                               .key = current[place],
                                               .ready_too = true}
                                : work::Report{.kind = work::Report::Kind::arrived});
    const auto assignment = schedule.next();
    const double taken = seconds_since(start);
    deciding += taken;
    free = std::max(free, next.at) + taken;
    if (next.finished)
      end = std::max(end, next.at);
    if (!assignment)
      continue;
    current[place] = assignment->item.key;
    const auto trial = static_cast<std::size_t>(assignment->item.what.integer("place"));
    told.push({free + 2 * message + durations[trial], assignment->rank, order++, true});
  }
  std::cout << "devices=" << devices << " trials=" << durations.size()
            << " hours=" << end / 3600 << " efficiency=" << total / (end * devices)
            << " us_a_decision=" << deciding / static_cast<double>(durations.size()) * 1e6
            << '\n';
  return schedule.over() ? 0 : 1;
}

}  // namespace
}  // namespace proxytune

int main(int count, char** words) {
  const proxytune::comm::MpiEnvironment environment(count, words);
  const std::string what = count > 1 ? words[1] : "";
  if (what == "empty" && count == 4)
    return proxytune::run_empty(words[2], static_cast<std::size_t>(std::atoll(words[3])));
  if (what == "simulate" && count == 5)
    return proxytune::simulate(std::atoi(words[2]), std::atof(words[3]), words[4]);
  std::cerr << "usage: benchmark_scheduler empty FOLDER TRIALS | simulate DEVICES "
               "SECONDS_A_MESSAGE FOLDER < DURATIONS\n";
  return 64;
}
