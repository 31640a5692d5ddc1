// The table of real trials that tools/benchmark/search.cpp searches.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proxytune/core/random.h"
#include "search_surfaces.h"

namespace proxytune::benchmark {

/// A training: validation Dice after every second epoch; shorter if it did not complete.
struct Curve {
  bool completed = true;
  std::vector<double> dice;
};

/// A grid point of tools/benchmark/hippocampus_trials.csv: its repeats.
struct Cell {
  std::vector<double> rewards;  // best validation Dice
  std::vector<Curve> curves;
};

/// The real trials: learning rate, shift probability and optimizer, each coordinate meaning the
/// grid's point in whose interval it lies; a value is the mean of the repeats, a reward one of
/// them.
class TrialTable {
 public:
  explicit TrialTable(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line))
      add(line);
    leave_out_halted();
  }

  bool empty() const { return cells_.empty(); }
  /// Of its trials but for those that took over twice the median: the machine on which they
  /// were trained was now and then halted for other measurements, a trial for up to 90 s of
  /// its 3.
  const std::vector<double>& seconds() const { return seconds_; }
  const std::vector<double>& rates() const { return rates_; }
  const std::vector<std::string>& optimizers() const { return optimizers_; }
  /// One of its repeats.
  const Curve& curve(const Point& x, core::Random& random) const {
    const Cell& here = cell(x);
    return here.curves[random.index(here.curves.size())];
  }
  double value(const Point& x) const { return mean(cell(x)); }

  Surface surface() const {
    Surface surface{
        "hippocampus", true, {0, 0, static_cast<int>(optimizers_.size())}, noise(), 0, {}};
    surface.value = [this](const Point& x) { return mean(cell(x)); };
    for (const auto& [where, cell] : cells_)
      surface.best = std::max(surface.best, mean(cell));
    return surface;
  }

  double reward(const Point& x, core::Random& random) const {
    const Cell& here = cell(x);
    return here.rewards[random.index(here.rewards.size())];
  }

 private:
  void leave_out_halted() {
    if (seconds_.empty())
      return;
    std::vector<double> sorted = seconds_;
    std::sort(sorted.begin(), sorted.end());
    const double most = 2 * sorted[sorted.size() / 2];
    std::erase_if(seconds_, [&](double seconds) { return seconds > most; });
  }

  /// Standard deviation between the repeats of a trial, the median over the trials: where many
  /// diverge it says nothing.
  double noise() const {
    std::vector<double> deviations;
    for (const auto& [where, cell] : cells_) {
      double sum = 0;
      for (const double reward : cell.rewards)
        sum += (reward - mean(cell)) * (reward - mean(cell));
      if (cell.rewards.size() > 1)
        deviations.push_back(std::sqrt(sum / static_cast<double>(cell.rewards.size() - 1)));
    }
    std::sort(deviations.begin(), deviations.end());
    return deviations.empty() ? 0 : deviations[deviations.size() / 2];
  }

  static double mean(const Cell& cell) {
    double sum = 0;
    for (const double reward : cell.rewards)
      sum += reward;
    return sum / static_cast<double>(cell.rewards.size());
  }

  /// learning_rate,shift_probability,optimizer,repeat,status,external_dice,seconds,curve
  void add(const std::string& line) {
    std::vector<std::string> words;
    std::istringstream stream(line);
    for (std::string word; std::getline(stream, word, ',');)
      words.push_back(word);
    double best = 0;
    Curve curve{.completed = words[4] == "completed", .dice = {}};
    std::istringstream text(words.size() > 7 ? words[7] : "");
    for (double dice = 0; text >> dice;) {
      curve.dice.push_back(dice);
      best = std::max(best, dice);
    }
    const int rate = place(rates_, std::atof(words[0].c_str()));
    const int shift = place(shifts_, std::atof(words[1].c_str()));
    const int optimizer = place(optimizers_, words[2]);
    Cell& here = cells_[{rate, shift, optimizer}];
    here.rewards.push_back(best);
    here.curves.push_back(std::move(curve));
    seconds_.push_back(std::atof(words[6].c_str()));
  }

  /// Rows come in rising order of each number.
  template <class Value>
  static int place(std::vector<Value>& known, const Value& value) {
    const auto found = std::find(known.begin(), known.end(), value);
    if (found != known.end())
      return static_cast<int>(found - known.begin());
    known.push_back(value);
    return static_cast<int>(known.size()) - 1;
  }

  const Cell& cell(const Point& x) const {
    return cells_.at({benchmark::choice(x[0], static_cast<int>(rates_.size())),
                      benchmark::choice(x[1], static_cast<int>(shifts_.size())),
                      benchmark::choice(x[2], static_cast<int>(optimizers_.size()))});
  }

  std::vector<double> rates_, shifts_;
  std::vector<std::string> optimizers_;
  std::map<std::vector<int>, Cell> cells_;
  std::vector<double> seconds_;
};

}  // namespace proxytune::benchmark
