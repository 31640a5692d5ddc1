// Searches surfaces and the table of real trials with the program's own controllers, many seeds
// of each.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <queue>
#include <sstream>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/search/sequence.h"
#include "search_early_stopping.h"
#include "search_surfaces.h"
#include "trial_table.h"

namespace proxytune {
namespace {

using benchmark::Point;
using benchmark::Surface;
using benchmark::TrialTable;

class Problems {
 public:
  explicit Problems(const std::string& table) : table_(table) {
    surfaces_ = benchmark::synthetic_surfaces();
    if (!table_.empty())
      surfaces_.push_back(table_.surface());
    for (Surface& surface : surfaces_)
      if (surface.best == 0)
        surface.best = highest(surface);
  }

  const std::vector<Surface>& all() const { return surfaces_; }
  const std::vector<double>& seconds() const { return table_.seconds(); }

  const Surface& named(const std::string& name) const {
    for (const Surface& surface : surfaces_)
      if (surface.name == name)
        return surface;
    throw std::invalid_argument("no surface is called " + name);
  }

  /// What trial `index` of the search with this seed is rewarded with at x.
  double reward(const Surface& surface, const Point& x, std::uint64_t seed, int index) const {
    core::Random random(core::RandomKey(seed)
                            .with(surface.name)
                            .with("noise")
                            .with(static_cast<std::uint64_t>(index)));
    if (surface.name == "hippocampus")
      return table_.reward(x, random);
    return surface.value(x) + surface.noise * random.normal();
  }

 private:
  /// By random points and a climb from the best of them.
  static double highest(const Surface& surface) {
    core::Random random(core::RandomKey(1).with(surface.name));
    Point best(surface.choices.size(), 0.5);
    for (int i = 0; i < 20000; ++i) {
      Point x;
      for (std::size_t k = 0; k < best.size(); ++k)
        x.push_back(random.uniform());
      if (surface.value(x) > surface.value(best))
        best = x;
    }
    for (double step = 0.1; step > 1e-7; step *= 0.95)
      for (std::size_t k = 0; k < best.size(); ++k)
        for (const double direction : {-step, step}) {
          Point x = best;
          x[k] = std::clamp(x[k] + direction, 0.0, 1.0);
          if (surface.value(x) > surface.value(best))
            best = x;
        }
    return surface.value(best);
  }

  TrialTable table_;
  std::vector<Surface> surfaces_;
};

struct Running {
  double end = 0;
  int index = 0;
  bool operator>(const Running& other) const {
    return end != other.end ? end > other.end : index > other.index;
  }
};

struct SearchRun {
  std::vector<double> values;   // noise-free, by trial
  std::vector<double> rewards;  // by trial
  double wall = 0;              // seconds until the last trial has ended
  double busy = 0;              // of all devices
};

/// One search on so many devices, trials lasting as long as real ones, drawn anew for each
/// trial; without the table, as long as each other but for 6 per cent.
SearchRun search(const Problems& problems,
                 const Surface& surface,
                 const search::SearchOptions& options,
                 std::uint64_t seed,
                 int devices) {
  const core::RandomKey key = core::RandomKey(seed).with(surface.name).with("search");
  search::Sequence sequence(options, {options.space}, key);
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  SearchRun run;
  for (double now = 0;;) {
    while (std::ssize(running) < devices && sequence.may_propose()) {
      const int index = sequence.proposed();
      const Point x = sequence.propose();
      run.values.push_back(surface.value(x));
      run.rewards.push_back(problems.reward(surface, x, seed, index));
      core::Random random(
          core::RandomKey(seed).with("duration").with(static_cast<std::uint64_t>(index)));
      const auto& seconds = problems.seconds();
      const double lasts = seconds.empty() ? std::exp(0.06 * random.normal())
                                           : seconds[random.index(seconds.size())];
      run.busy += lasts;
      running.push({now + lasts, index});
    }
    if (running.empty())
      return run;
    const Running next = running.top();
    running.pop();
    now = run.wall = next.end;
    sequence.report(next.index, run.rewards[static_cast<std::size_t>(next.index)]);
  }
}

search::SearchOptions options_for(const Surface& surface, const std::string& method) {
  search::SearchOptions options{.method = core::from_string<search::Method>(method)};
  options.space.clear();
  for (std::size_t i = 0; i < surface.choices.size(); ++i) {
    search::Dimension dimension{.field = "x" + std::to_string(i)};
    for (int choice = 0; choice < surface.choices[i]; ++choice)
      dimension.choices.push_back(std::to_string(choice));
    options.space.push_back(dimension);
  }
  return options;
}

/// A line a seed: wall seconds, busy seconds, and the regret after each trial: how far the
/// trial with the highest reward so far is below the best there is, without noise.
void run(const Problems& problems, char** words) {
  const Surface& surface = problems.named(words[0]);
  search::SearchOptions options = options_for(surface, words[1]);
  options.trials = std::atoi(words[2]);
  options.concurrency = std::atoi(words[3]);
  const int devices = std::atoi(words[4]);
  const int first = std::atoi(words[5]), last = std::atoi(words[6]);
  for (int seed = first; seed < last; ++seed) {
    const SearchRun one =
        search(problems, surface, options, static_cast<std::uint64_t>(seed), devices);
    std::cout << one.wall << ' ' << one.busy;
    std::size_t chosen = 0;
    for (std::size_t k = 0; k < one.values.size(); ++k) {
      if (one.rewards[k] > one.rewards[chosen])
        chosen = k;
      std::cout << ' ' << surface.best - one.values[chosen];
    }
    std::cout << '\n';
  }
}

/// Answers lines of NAME SEED INDEX COORDINATES with the value and the reward there.
void evaluate(const Problems& problems) {
  std::cout << std::setprecision(17);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream stream(line);
    std::string name;
    std::uint64_t seed = 0;
    int index = 0;
    stream >> name >> seed >> index;
    Point x;
    for (double coordinate = 0; stream >> coordinate;)
      x.push_back(coordinate);
    const Surface& surface = problems.named(name);
    std::cout << surface.best - surface.value(x) << ' '
              << problems.reward(surface, x, seed, index) << std::endl;
  }
}

void list(const Problems& problems) {
  for (const Surface& surface : problems.all()) {
    std::cout << surface.name << ' ' << (surface.judged ? "judged" : "developed") << ' '
              << surface.noise << ' ' << surface.best;
    for (const int choices : surface.choices)
      std::cout << ' ' << choices;
    std::cout << '\n';
  }
}

int chosen(int count, char** words) {
  const std::string what = count > 2 ? words[2] : "";
  if (what == "list") {
    list(Problems(words[1]));
  } else if (what == "evaluate") {
    evaluate(Problems(words[1]));
  } else if (what == "stop" && count == 9) {
    benchmark::search_with_stops(TrialTable(words[1]), words + 3);
  } else if (what == "run" && count == 10) {
    run(Problems(words[1]), words + 3);
  } else {
    std::cerr
        << "usage: benchmark_search TABLE list | evaluate | run SURFACE METHOD TRIALS "
           "CONCURRENCY DEVICES FIRST_SEED LAST_SEED | stop METHOD TRIALS CONCURRENCY RULE "
           "FIRST_SEED LAST_SEED\n";
    return 64;
  }
  return 0;
}

}  // namespace
}  // namespace proxytune

int main(int count, char** words) {
  try {
    return proxytune::chosen(count, words);
  } catch (const std::exception& error) {
    std::cerr << "benchmark_search: " << error.what() << '\n';
    return 1;
  }
}
