#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/logging.h"
#include "proxytune/work/journal.h"

namespace proxytune::jobs {

/// What earlier launches and stages of a study did, and this rank's segment of its journal.
class StudyJournal {
 public:
  /// Every segment of the folders, one folder after the other. On rank 0.
  void read(const std::vector<std::filesystem::path>& folders,
            const std::string& study,
            const core::Log& log);
  /// From here on this rank notes what it does.
  void begin(const std::filesystem::path& folder,
             const std::string& study,
             const std::string& launch,
             int rank);

  bool empty() const { return past_.finished.empty(); }
  /// What an earlier launch or stage finished; known on rank 0 only. Null: nothing.
  const work::Record* finished(const std::string& kind, const std::string& key) const;
  /// Whether it is to run again, and has not yet; known on rank 0 only.
  bool is_forgotten(const std::string& kind, const std::string& key) const {
    return past_.forgotten.contains(kind + "/" + key);
  }
  /// Starts that never ended and kept nothing, in all launches, by kind + "/" + key. On rank 0,
  /// and on all of them once they are shared.
  const std::map<std::string, int>& open_starts() const { return past_.attempts; }
  /// Collective.
  void share_open_starts(comm::Communicator& world);

  /// Lets a finished piece run again. On disk after sync().
  void forget(const std::string& kind, const std::string& key);
  /// Of --retry: lets trials that ended like `which` run again, with as many attempts as if
  /// they were new. How many those are. On rank 0.
  std::size_t forget_failures(const std::string& which);
  /// Takes over a piece that a shard finished. On disk after sync(). On rank 0.
  void adopt(const std::string& kind, const std::string& key, const work::Record& result);
  /// What a stage has finished, later stages may ask for.
  void add_finished(const std::string& kind,
                    const std::map<std::string, work::Record>& results);

  /// Into this rank's segment; a killed process loses nothing, a dying machine some seconds.
  void note(const work::Event& event) const;
  void sync() const { segment_->sync(); }

  const work::JournalContents& past() const { return past_; }
  work::Journal& segment() { return *segment_; }

 private:
  work::JournalContents past_;
  std::unique_ptr<work::Journal> segment_;
};

}  // namespace proxytune::jobs
