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

  Schedule(Parts parts, int ranks) : parts_(parts), ranks_(ranks) {}

  void take(int rank, const Report& report);
  void stop() { stopping_ = true; }
  /// A piece for a rank that has nothing to do, if there are both.
  std::optional<Assignment> next();
  /// No further piece is given, and the running ones may be left undone.
  bool ending() const { return failure_ || stopping_; }
  /// Nothing is running and nothing will be.
  bool over() const { return running_.empty() && (ending() || done_); }
  Outcome outcome() const;

 private:
  std::optional<Item> fetch();
  std::optional<Item> fetch_again();
  bool full() const;
  bool answer_without_work(const Item& item);
  void end(int rank, const Report& report);
  void settle(const Item& item, const Record& result, int rank);
  void say(const Item& item, const Record& result, int rank);
  void fail(const comm::Failure& failure);
  template <class Step>
  void guarded(const Step& step);

  /// A piece to be done once more.
  struct OnceMore {
    Item item;
    std::size_t limit = 0;  // pieces that may run beside each other, itself included
  };

  Parts parts_;
  int ranks_;
  std::map<std::string, Item> running_;  // given to a rank, and not heard of
  std::deque<int> idle_;
  std::deque<OnceMore> again_;
  std::map<std::string, std::size_t> limits_;       // of running keys that have one
  std::map<std::string, std::vector<Item>> twins_;  // of running keys, given again meanwhile
  std::map<std::string, Record> results_;
  std::optional<comm::Failure> failure_;
  std::size_t handed_out_ = 0;
  std::size_t reported_ = 0;
  bool waiting_ = false;  // the source gave none, and nothing was reported since
  bool stopping_ = false;
  bool done_ = false;
};

}  // namespace proxytune::work
