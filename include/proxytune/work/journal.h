#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proxytune/core/logging.h"
#include "proxytune/work/record.h"

namespace proxytune::work {

/// What happened to one piece of work on one rank.
struct Event {
  std::string kind;   // "started", ended by "finished" | "attempt_failed" | "stopped"
                      // | "again" (an end, but not the last);
                      // "checkpoint": what was done since the start is kept; "progress":
                      // how far it is; "forgotten": what was finished before is to be done
                      // again; "account": where the rank's time went; or a room's own word
  std::string stage;  // "rank", "sweep", ...
  std::string key;    // content key of the piece
  Record data;
};

/// One rank's segment of the journal: a new file, made with O_EXCL, for every launch and rank,
/// with a header line naming the study; one line an event: CRC-32, space, JSON object.
/// Thread-safe. Throws core::SystemError where the disk refuses.
class Journal {
 public:
  /// When a line is safe from a crash of the machine; a killed process loses none. `soon`:
  /// after some seconds, with the next synced line, or by sync().
  enum class OnDisk { now, soon };

  Journal(const std::filesystem::path& folder,
          const std::string& study_id,
          const std::string& launch_id,
          int rank);
  ~Journal();
  /// Written when it returns, and synced to disk if `now`.
  void append(const Event& event, OnDisk on_disk = OnDisk::now);
  void sync();

 private:
  void write(const std::string& line, OnDisk on_disk);

  struct State;
  std::unique_ptr<State> state_;
};

/// A piece that was started and has not ended, as far as its rank wrote.
struct OpenPiece {
  std::string launch;
  int rank = 0;
  Record progress;  // data of its last event after the start
};

/// The last "account" of each rank of a launch: Account::so_far(), and "ended", true of a rank
/// that came to its end.
using LaunchAccounts = std::map<int, Record>;

/// What all segments say together.
struct JournalContents {
  std::vector<Event> events;  // by segment name, then line; without "progress"
                              // and "account"
  std::map<std::string, LaunchAccounts> accounts;  // by launch
  std::string last_launch;                         // "" where there is no segment
  std::map<std::string, OpenPiece> open;           // stage + "/" + key -> in its newest launch
  std::map<std::string, Record>
      finished;  // stage + "/" + key -> result of the first finish not forgotten
  /// Stage + "/" + key -> starts that never ended and kept nothing: a piece that came further
  /// before its process died is not to blame.
  std::map<std::string, int> attempts;
  std::map<std::string, int> retried;  // stage + "/" + key -> ends that asked for another try
  std::set<std::string> forgotten;     // stage + "/" + key, and not finished since
  int torn_lines = 0;                  // torn last lines, dropped
};

/// Reads every segment of the folder (none is fine). A torn last line of a segment is dropped
/// and said; damage elsewhere, or a segment of another study, throws core::DataError naming
/// file and byte.
JournalContents read_journal(const std::filesystem::path& folder,
                             const std::string& study_id,
                             const core::Log& log);
/// The segments of several folders, one folder after the other.
JournalContents read_journal(const std::vector<std::filesystem::path>& folders,
                             const std::string& study_id,
                             const core::Log& log);

}  // namespace proxytune::work
