#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/work/distribute.h"
#include "wire.h"

namespace proxytune::work {

/// The manager's decisions, without any transport: who does what, and when all is over. Errors
/// of the source, of `lost`, of the journal and of `progress` end the work like a worker's.
class Schedule {
 public:
  struct Assignment {
    int rank = 0;
    Item item;
  };
  struct Parts {
    Source& source;
    Journal& journal;
    const JournalContents& past;
    const std::function<Record(const Item&)>& lost;
    const DistributeOptions& options;
    const std::function<void(const Progress&)>& progress;
  };

  Schedule(Parts parts, int ranks)
      : parts_(parts), free_(static_cast<std::size_t>(ranks), parts.options.at_once) {}

  void take(int rank, const Report& report);
  void stop() { stopping_ = true; }
  /// A piece for a rank that can take one, if there are both.
  std::optional<Assignment> next();
  /// No further piece is given, and the running ones may be left undone.
  bool ending() const { return failure_ || stopping_; }
  /// Nothing is running and nothing will be.
  bool over() const { return running_.empty() && (ending() || done_); }
  Outcome outcome() const;

 private:
  std::optional<std::size_t> freest() const;
  int places() const;
  std::optional<Item> fetch();
  std::optional<Item> fetch_later();
  bool full() const;
  bool answer_without_work(const Item& item);
  bool is_at_last_chance(const std::string& piece) const;
  void end(int rank, const Report& report);
  void settle(const Item& item, const Record& result, int rank);
  void say(const Item& item, const Record& result, int rank);
  void fail(const comm::Failure& failure);
  template <class Step>
  void guarded(const Step& step);

  /// A piece to be done when the source has no other.
  struct Later {
    Item item;
    std::size_t limit = 0;  // pieces that may run beside each other, itself included
  };

  Parts parts_;
  std::map<std::string, Item> running_;  // given to a rank, and not heard of
  std::vector<int> free_;                // by rank, pieces that it can take
  std::deque<int> idle_;  // a rank once for each piece that it can take, the longest first
  int arrived_ = 0;       // ranks
  int watching_ = 0;      // ranks that take no pieces
  std::deque<Later> later_;
  std::map<std::string, std::size_t> limits_;       // of running keys that have one
  std::map<std::string, std::vector<Item>> twins_;  // of running or later keys, given again
  std::map<std::string, Record> results_;
  std::optional<comm::Failure> failure_;
  std::size_t handed_out_ = 0;
  std::size_t reported_ = 0;
  bool waiting_ = false;  // the source gave none, and nothing was reported since
  bool stopping_ = false;
  bool done_ = false;
};

}  // namespace proxytune::work
