#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/logging.h"
#include "proxytune/work/journal.h"
#include "proxytune/work/record.h"

namespace proxytune::work {

/// A piece of work: its identity is its content.
struct Item {
  std::string key;
  Record what;
  double expected_cost = 0;  // any unit; the source hands out larger ones first
  int attempt = 0;           // earlier ones that ended and asked for another
};

/// Where the manager gets its pieces from. Called on rank 0 only, always by the one manager
/// thread, which is not the thread that called distribute. Reports come in the order in which
/// results arrive; a source whose pieces depend on results sorts them itself. A key given twice
/// is done once and reported twice.
class Source {
 public:
  virtual ~Source() = default;
  /// The next piece, or none *now* (all handed out, or waiting for results). None while nothing
  /// is running and more is to come is an error of the source, and ends the work.
  virtual std::optional<Item> next() = 0;
  /// True once next() will never give another piece.
  virtual bool exhausted() const = 0;
  /// A piece's result, from a worker or from the journal.
  virtual void report(const Item& item, const Record& result) = 0;
};

/// A fixed list, longest expected first, ties by position. Equal keys are handed out once.
class ListSource : public Source {
 public:
  /// What a piece is expected to cost, as far as is known when it is called.
  using Estimate = std::function<double(const Item& item)>;

  /// With `estimate` instead of each item's expected_cost, the pieces left are put in order
  /// anew whenever a quarter more results are known.
  explicit ListSource(std::vector<Item> items, Estimate estimate = {});
  std::optional<Item> next() override;
  bool exhausted() const override;
  void report(const Item& item, const Record& result) override;

 private:
  struct Expected {
    double cost = 0;
    Item item;
  };
  void sort_rest();

  std::vector<Expected> items_;
  Estimate estimate_;
  std::size_t position_ = 0;
  std::size_t reports_ = 0;
  std::size_t next_sort_ = 0;  // by number of reports
};

/// Does one piece; where ranks do several at once, from several threads. Throwing core::Stopped
/// means "not done, asked to stop"; any other exception is an error of the program or of the
/// data and ends the work on all ranks.
using Worker = std::function<Record(const Item& item)>;

/// Whether a piece is done again although it ended: when nothing else is left to give out, and
/// `with_fewer` beside fewer other pieces: half as many as all ranks do at once, then a
/// quarter,
/// ...
enum class Again { no, yes, with_fewer };
/// Asked on the rank that did it; `attempt` counts from 0.
using AgainRule = std::function<Again(const Record& result, int attempt)>;

struct DistributeOptions {
  std::string stage;     // into the journal
  int max_attempts = 3;  // starts that never ended before a piece is set aside
  /// Pieces that each rank does beside each other: the same number on all ranks, or 0 on one
  /// that is given none, but hears of stops and of the end, and has the results.
  int at_once = 1;
  /// Pieces of well under a second, which are cheap to do again: no line when one starts, no
  /// sync of its own when it ends (all are synced within seconds, and when the work is done).
  bool short_pieces = false;
  AgainRule again = {};  // none: the first result counts
};

/// For progress lines: called on rank 0, by the manager thread, after each result.
struct Progress {
  std::size_t done = 0;  // in this launch and before
  std::size_t handed_out = 0;
  const Item* item = nullptr;
  const Record* result = nullptr;
  int rank = 0;  // who did it; -1: known already, as from the journal
};

/// Hands the pieces of rank 0's `source` to ranks as they come free, to the one that does the
/// fewest; rank 0 works too, a manager thread serves the others. Pieces that `past.finished`
/// holds are reported from there and not run. A piece whose attempts reached max_attempts gets
/// `lost(item)` as its result; at its last chance it is done after all others and alone, so
/// that a piece which kills its process takes no other with it. A result is in the doer's
/// journal (synced, unless pieces are short) before it is reported; the doer's next piece does
/// not wait for that. Returns, on every rank, the results of all pieces by key. If `stop`
/// becomes true on any rank no new piece is handed out, every rank's `stop` becomes true within
/// milliseconds, also while it works, and after the running pieces have ended every rank throws
/// core::Stopped. An error of one rank does the same and ends the work on all ranks with that
/// error. Collective over `communicator`.
std::map<std::string, Record> distribute(comm::Communicator& communicator,
                                         Source* source,
                                         Journal& journal,
                                         const JournalContents& past,
                                         const Worker& worker,
                                         const std::function<Record(const Item&)>& lost,
                                         const DistributeOptions& options,
                                         std::atomic<bool>& stop,
                                         const std::function<void(const Progress&)>& progress);

}  // namespace proxytune::work
