#include "proxytune/work/distribute.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "late_reports.h"
#include "link.h"
#include "manager.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

/// Does a piece, from any thread; its result is in the journal before anybody hears of it.
class Attempt {
 public:
  Attempt(Journal& journal, Link& link, const Worker& worker, const DistributeOptions& options)
      : journal_(journal), link_(link), worker_(worker), options_(options) {
    if (!options.short_pieces)
      late_.emplace([&journal] { journal.sync(); }, link);
  }

  /// Whatever waits for a sync is told.
  void leave() { late_.reset(); }

  void operator()(const Item& item) {
    try {
      if (late_) {
        journal_.append({"started", options_.stage, item.key, item.what},
                        Journal::OnDisk::soon);
        late_->sync_soon();
      }
      Record result = worker_(item);
      const Again again = options_.again ? options_.again(result, item.attempt) : Again::no;
      if (again != Again::no) {
        journal_.append({"again", options_.stage, item.key, result});
        link_.tell({.kind = Report::Kind::again,
                    .key = item.key,
                    .ready_too = true,
                    .with_fewer = again == Again::with_fewer});
        return;
      }
      journal_.append({"finished", options_.stage, item.key, result}, Journal::OnDisk::soon);
      tell({.kind = Report::Kind::finished, .key = item.key, .result = std::move(result)});
    } catch (const core::Stopped&) {
      note_end(item, "stopped", {});
      link_.tell({.kind = Report::Kind::stopped, .key = item.key, .ready_too = true});
    } catch (...) {
      const comm::Failure failure = comm::current_failure();
      note_end(item, "attempt_failed", failure.sentence);
      link_.tell({.kind = Report::Kind::failed,
                  .key = item.key,
                  .failure = failure,
                  .ready_too = true});
    }
  }

 private:
  void tell(Report finished) {
    if (!late_) {
      finished.ready_too = true;
      link_.tell(finished);
      return;
    }
    late_->tell_when_synced(std::move(finished));
    link_.tell({.kind = Report::Kind::ready});
  }

  /// So that the start does not count as a lost one. If this cannot be written, what ends the
  /// work is the error that came first.
  void note_end(const Item& item, const char* kind, const std::string& sentence) const {
    if (options_.short_pieces)
      return;
    try {
      Record data;
      if (!sentence.empty())
        data.set("error", sentence);
      journal_.append({kind, options_.stage, item.key, data});
    } catch (const std::exception&) {
      return;
    }
  }

  Journal& journal_;
  Link& link_;
  const Worker& worker_;
  const DistributeOptions& options_;
  std::optional<LateReports> late_;
};

/// Until sent home.
void do_pieces(Link& link,
               Journal& journal,
               const Worker& worker,
               const DistributeOptions& options,
               std::atomic<bool>& stop) {
  Attempt attempt(journal, link, worker, options);
  work_until_sent_home(
      link,
      options.at_once,
      [&](const Item& item) { attempt(item); },
      [&] { attempt.leave(); },
      stop);
}

}  // namespace

ListSource::ListSource(std::vector<Item> items, Estimate estimate)
    : estimate_(std::move(estimate)) {
  std::set<std::string> seen;
  for (Item& item : items)
    if (seen.insert(item.key).second)
      items_.push_back({item.expected_cost, std::move(item)});
}

std::optional<Item> ListSource::next() {
  if (position_ == items_.size())
    return std::nullopt;
  if (position_ == 0 || (estimate_ && reports_ >= next_sort_))
    sort_rest();
  return items_[position_++].item;
}

void ListSource::sort_rest() {
  const auto rest = std::span(items_).subspan(position_);
  if (estimate_)
    for (Expected& expected : rest)
      expected.cost = estimate_(expected.item);
  std::ranges::stable_sort(rest, std::greater(), &Expected::cost);
  next_sort_ = reports_ + reports_ / 4 + 1;
}

bool ListSource::exhausted() const {
  return position_ == items_.size();
}
void ListSource::report(const Item&, const Record&) {
  ++reports_;
}

std::map<std::string, Record> distribute(comm::Communicator& communicator,
                                         Source* source,
                                         Journal& journal,
                                         const JournalContents& past,
                                         const Worker& worker,
                                         const std::function<Record(const Item&)>& lost,
                                         const DistributeOptions& options,
                                         std::atomic<bool>& stop,
                                         const std::function<void(const Progress&)>& progress) {
  comm::together(communicator, [&] {
    if (communicator.is_root() && source == nullptr)
      throw std::invalid_argument("distribute needs a source on rank 0");
    if (options.at_once < (communicator.is_root() ? 1 : 0))
      throw std::invalid_argument("distribute needs one piece or more at once on rank 0");
  });
  const std::unique_ptr<comm::Communicator> control = communicator.duplicate();
  std::vector<std::byte> ending;
  if (communicator.is_root()) {
    LocalLink link;
    Manager manager(*control, link, {*source, journal, past, lost, options, progress}, stop);
    do_pieces(link, journal, worker, options, stop);
    ending = encode(manager.outcome());
  } else {
    RemoteLink link(*control, stop);
    do_pieces(link, journal, worker, options, stop);
  }
  control->broadcast(ending, 0);
  Outcome outcome = decode_outcome(ending);
  if (options.short_pieces)
    comm::together(communicator, [&] {
      // Of two errors the one that ended the work is said.
      try {
        journal.sync();
      } catch (const core::SystemError&) {
        if (!outcome.failure)
          throw;
      }
    });
  if (outcome.failure)
    comm::throw_failure(*outcome.failure);
  return std::move(outcome.results);
}

}  // namespace proxytune::work
