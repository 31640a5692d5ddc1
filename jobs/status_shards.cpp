#include "jobs/status_shards.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "jobs/failure_options.h"
#include "jobs/shards.h"
#include "proxytune/study/lock.h"
#include "proxytune/work/journal.h"

namespace proxytune::jobs {
namespace {

bool is_trial(const std::string& piece) {
  return piece.starts_with("trial/");
}

/// " of 12" as its newest launch that finished a trial said.
std::string of_total(const work::JournalContents& journal) {
  const auto said = std::find_if(
      journal.events.rbegin(), journal.events.rend(), [](const work::Event& event) {
        return event.kind == "outlook";
      });
  return said == journal.events.rend() ? ""
                                       : fmt::format(" of {}", said->data.integer("total"));
}

std::string shard_line(const std::filesystem::path& folder, const std::string& study) {
  const std::optional<std::string> holder = study::live_holder(folder);
  const work::JournalContents journal =
      work::read_journal(folder / "journal", study, core::Log::silent());
  int done = 0;
  int failed = 0;
  for (const auto& [piece, record] : journal.finished) {
    if (!is_trial(piece))
      continue;
    ++done;
    failed += is_failure(trials::result_from_record(record)) ? 1 : 0;
  }
  const auto open =
      std::count_if(journal.open.begin(), journal.open.end(), [&](const auto& piece) {
        return is_trial(piece.first) && !journal.finished.contains(piece.first) &&
               (!holder || piece.second.launch == journal.last_launch);
      });
  return fmt::format("  {}: {}{} trials done, {} of them failed, {} {}; {}\n",
                     folder.filename().string(),
                     done,
                     of_total(journal),
                     failed,
                     open,
                     holder ? "running" : "interrupted",
                     holder ? "at work: " + *holder : "no job is at work");
}

}  // namespace

std::string shards_text(const std::filesystem::path& folder, const std::string& study) {
  std::string text;
  for (const std::filesystem::path& shard : shard_folders(folder))
    text += shard_line(shard, study);
  return text.empty() ? "" : "shards:\n" + text;
}

}  // namespace proxytune::jobs
