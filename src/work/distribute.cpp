#include "proxytune/work/distribute.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "link.h"
#include "manager.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"

namespace proxytune::work {
namespace {

std::vector<Item> longest_first(std::vector<Item> items) {
  std::set<std::string> seen;
  std::erase_if(items, [&](const Item& item) { return !seen.insert(item.key).second; });
  std::stable_sort(items.begin(), items.end(), [](const Item& one, const Item& other) {
    return one.expected_cost > other.expected_cost;
  });
  return items;
}

/// Does one piece; its result is in the journal before anybody hears of it.
class Attempt {
 public:
  Attempt(Journal& journal, const Worker& worker, const DistributeOptions& options)
      : journal_(journal), worker_(worker), options_(options) {}

  Report operator()(const Item& item) const {
    try {
      if (!options_.short_pieces)
        journal_.append({"started", options_.stage, item.key, item.what});
      Record result = worker_(item);
      journal_.append({"finished", options_.stage, item.key, result},
                      options_.short_pieces ? Journal::OnDisk::soon : Journal::OnDisk::now);
      return {Report::Kind::finished, std::move(result), {}};
    } catch (const core::Stopped&) {
      note_end(item, "stopped", {});
      return {Report::Kind::stopped, {}, {}};
    } catch (...) {
      const comm::Failure failure = comm::current_failure();
      note_end(item, "attempt_failed", failure.sentence);
      return {Report::Kind::failed, {}, failure};
    }
  }

 private:
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
  const Worker& worker_;
  const DistributeOptions& options_;
};

}  // namespace

ListSource::ListSource(std::vector<Item> items) : items_(longest_first(std::move(items))) {}

std::optional<Item> ListSource::next() {
  if (position_ == items_.size())
    return std::nullopt;
  return items_[position_++];
}
bool ListSource::exhausted() const {
  return position_ == items_.size();
}
void ListSource::report(const Item&, const Record&) {}

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
  });
  const std::unique_ptr<comm::Communicator> control = communicator.duplicate();
  const Attempt attempt(journal, worker, options);
  std::vector<std::byte> ending;
  if (communicator.is_root()) {
    LocalLink link;
    Manager manager(*control, link, {*source, journal, past, lost, options, progress}, stop);
    work_until_sent_home(link, attempt, stop);
    ending = encode(manager.outcome());
  } else {
    RemoteLink link(*control, stop);
    work_until_sent_home(link, attempt, stop);
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
