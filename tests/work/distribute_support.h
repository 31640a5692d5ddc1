#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "proxytune/work/distribute.h"

#include "tests/work/folder.h"

namespace proxytune::work {

/// `count` pieces whose results are their squares.
inline std::vector<Item> squares(int count) {
  std::vector<Item> items;
  for (int i = 0; i < count; ++i)
    items.push_back({std::to_string(i), Record().set("x", std::int64_t{i}), i % 7 * 1.0});
  return items;
}

inline Record square(const Item& item) {
  const double x = item.what.number("x");
  return Record().set("square", x * x).set("third", x / 3);
}

/// One launch of a study on some ranks: everything distribute wants, with a default.
struct Launch {
  std::filesystem::path folder;
  std::string id = "launch0";
  Worker worker = square;
  /// Instead of `worker`, for pieces that look at the stop flag of their rank.
  std::function<Record(const Item&, std::atomic<bool>& stop)> stoppable = {};
  DistributeOptions options{.stage = "sweep", .max_attempts = 3};
  std::function<bool(int rank)> stops = [](int) { return false; };
  std::function<void(const Progress&)> progress = {};

  /// Runs on one rank.
  std::map<std::string, Record> run(comm::Communicator& communicator, Source* source) const {
    const JournalContents past = read_journal(folder, "study", core::Log::silent());
    communicator.barrier();  // all have read before one makes a new segment
    Journal journal(folder, "study", id, communicator.rank());
    std::atomic<bool> stop = stops(communicator.rank());
    const auto lost = [](const Item&) { return Record().set("lost", true); };
    const Worker chosen =
        stoppable ? [&](const Item& item) { return stoppable(item, stop); } : worker;
    return distribute(
        communicator, source, journal, past, chosen, lost, options, stop, progress);
  }
};

/// Pieces that depend on results, as a search's do: three at first, then after each whole
/// generation of three the next, begun at the sum of the results, in order of position.
class GenerationsSource : public Source {
 public:
  explicit GenerationsSource(int generations) : generations_(generations) {}
  std::optional<Item> next() override {
    if (given_ == 3) {
      if (results_.size() < 3)
        return std::nullopt;
      for (const auto& [key, value] : results_)
        start_ = start_ * 0.25 + value;
      results_.clear();
      given_ = 0;
      ++generation_;
    }
    if (exhausted())
      return std::nullopt;
    const std::string key = std::to_string(generation_) + "." + std::to_string(given_);
    return Item{key, Record().set("x", start_ + given_++), 0};
  }
  bool exhausted() const override {
    return generation_ == generations_ || (generation_ == generations_ - 1 && given_ == 3);
  }
  void report(const Item& item, const Record& result) override {
    results_[item.key] = result.number("third");
  }

 private:
  int generations_;
  int generation_ = 0;
  int given_ = 0;
  double start_ = 1;
  std::map<std::string, double> results_;
};

}  // namespace proxytune::work
