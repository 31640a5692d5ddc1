#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "journal_format.h"
#include "proxytune/core/error.h"
#include "proxytune/work/journal.h"
#include "record_json.h"

namespace proxytune::work {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> segments_of(const fs::path& folder) {
  std::vector<fs::path> segments;
  try {
    if (!fs::exists(folder))
      return segments;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == journal_extension)
        segments.push_back(entry.path());
  } catch (const fs::filesystem_error& error) {
    throw core::SystemError("cannot list the journal folder " + folder.string() + ": " +
                            error.code().message());
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file)
    throw core::SystemError("cannot read the journal " + path.string());
  return text;
}

/// Where a segment's lines are read, one after the other.
struct Segment {
  const fs::path& path;
  const std::string text;
  std::size_t position = 0;

  [[noreturn]] void refuse(const std::string& why) const {
    throw core::DataError(
        path.string() + ": damaged at byte " + std::to_string(position) + ": " + why +
        ". If the disk cannot give the file back whole, remove it: the pieces "
        "that only it holds are then done again");
  }

  /// The next whole line's JSON, or none at the end and before a torn last line. `use` is what
  /// the caller reads out of it.
  template <class Use>
  bool next(const Use& use) {
    const std::size_t end = text.find('\n', position);
    if (end == std::string::npos)
      return false;
    try {
      use(json_of_line(std::string_view(text).substr(position, end - position)));
    } catch (const core::DataError& error) {
      refuse(error.what());
    } catch (const nlohmann::json::exception& error) {
      refuse(error.what());
    }
    position = end + 1;
    return true;
  }
};

struct Header {
  int format = 0;
  std::string study;
  std::string launch;
  int rank = 0;
};

/// Nothing where the launch died before the header was on disk.
std::optional<Header> read_header(Segment& segment, const std::string& study_id) {
  Header header;
  const bool whole = segment.next([&](const nlohmann::json& json) {
    header = {json.at("format").get<int>(),
              json.at("study").get<std::string>(),
              json.at("launch").get<std::string>(),
              json.at("rank").get<int>()};
  });
  if (!whole)
    return std::nullopt;
  if (header.format != journal_format)
    throw core::DataError(segment.path.string() + ": a journal of format " +
                          std::to_string(header.format) + ", but this program reads format " +
                          std::to_string(journal_format) +
                          ": go on with the version that began the study");
  if (header.study != study_id)
    throw core::DataError(segment.path.string() + ": the journal of study " + header.study +
                          ", but this is study " + study_id + ": use another output folder");
  return header;
}

bool is_ending(const std::string& kind) {
  return kind == "finished" || kind == "attempt_failed" || kind == "stopped" || kind == "again";
}

/// What one segment's events mean. Starts and ends are matched within a segment: who starts a
/// piece also ends it.
class SegmentReader {
 public:
  SegmentReader(const Header& header, JournalContents& contents)
      : header_(header), contents_(contents) {
    contents_.last_launch = std::max(contents_.last_launch, header.launch);
  }

  void add(Event event) {
    if (event.kind == "account") {
      contents_.accounts[header_.launch][header_.rank] = std::move(event.data);
      return;
    }
    const std::string piece = event.stage + "/" + event.key;
    follow(piece, event);
    if (event.kind == "finished") {
      contents_.finished.emplace(piece, event.data);
      contents_.forgotten.erase(piece);
    }
    if (event.kind == "again")
      ++contents_.retried[piece];
    if (event.kind == "forgotten") {
      contents_.finished.erase(piece);
      contents_.attempts.erase(piece);
      contents_.retried.erase(piece);
      contents_.forgotten.insert(piece);
    }
    if (event.kind != "progress")
      contents_.events.push_back(std::move(event));
  }

  void count_attempts() {
    for (const auto& [piece, starts] : starts_)
      if (starts > 0)
        contents_.attempts[piece] += starts;
  }

 private:
  void follow(const std::string& piece, const Event& event) {
    if (event.kind == "started") {
      ++starts_[piece];
      contents_.open[piece] = {header_.launch, header_.rank, {}};
    } else if (is_ending(event.kind)) {
      if (starts_[piece] > 0)
        --starts_[piece];
      contents_.open.erase(piece);
    } else {
      if (event.kind == "checkpoint")
        starts_[piece] = 0;
      if (const auto open = contents_.open.find(piece); open != contents_.open.end())
        open->second.progress = event.data;
    }
  }

  const Header& header_;
  JournalContents& contents_;
  std::map<std::string, int> starts_;  // that have not ended
};

void add_events(Segment& segment, const Header& header, JournalContents& contents) {
  SegmentReader reader(header, contents);
  const auto add = [&](const nlohmann::json& json) {
    reader.add({json.at("kind").get<std::string>(),
                json.at("stage").get<std::string>(),
                json.at("key").get<std::string>(),
                record_of(json.at("data"))});
  };
  while (segment.next(add)) {
  }
  reader.count_attempts();
}

}  // namespace

JournalContents read_journal(const fs::path& folder,
                             const std::string& study_id,
                             const core::Log& log) {
  return read_journal(std::vector<fs::path>{folder}, study_id, log);
}

JournalContents read_journal(const std::vector<fs::path>& folders,
                             const std::string& study_id,
                             const core::Log& log) {
  std::vector<fs::path> segments;
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> more = segments_of(folder);
    segments.insert(segments.end(), more.begin(), more.end());
  }
  JournalContents contents;
  for (const fs::path& path : segments) {
    Segment segment{path, read_whole(path)};
    if (const std::optional<Header> header = read_header(segment, study_id))
      add_events(segment, *header, contents);
    if (segment.position == segment.text.size())
      continue;
    ++contents.torn_lines;
    log.warn(path.string() + ": the last line, from byte " + std::to_string(segment.position) +
             ", is torn and was dropped, as happens when a job is killed while it writes");
  }
  return contents;
}

}  // namespace proxytune::work
