#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "jobs/jobs.h"
#include "jobs/status_shards.h"
#include "jobs/study_costs.h"
#include "jobs/study_options.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/study/folder.h"
#include "proxytune/study/lock.h"
#include "proxytune/trials/trial.h"
#include "proxytune/work/journal.h"

namespace proxytune::jobs {
namespace {

constexpr std::string_view trial = "trial/";

std::string short_key(const std::string& piece) {
  return piece.substr(trial.size(), 12);
}

/// Each line further in than the sentence above it.
std::string indented(const std::string& lines) {
  std::string text;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);)
    text += "\n    | " + line;
  return text;
}

/// Of a trial that is lost with its rank nobody knows it.
std::string place_of(const trials::TrialResult& result) {
  return result.host.empty() ? "" : fmt::format(" on rank {} of {}", result.rank, result.host);
}

struct Counts {
  std::map<std::string, int> by_status;
  double seconds = 0;
  std::vector<std::string> failures;
};

using Finished = std::map<std::string, work::Record>::value_type;  // piece, result

/// Of pieces that are parts of one trial, each going on from the one before, the last.
std::vector<const Finished*> last_pieces(const work::JournalContents& journal) {
  const auto place = [](const Finished& piece) {
    const trials::TrialResult result = trials::result_from_record(piece.second);
    return result.status == trials::TrialStatus::stopped_early
               ? result.loss.size()
               : std::numeric_limits<std::size_t>::max();
  };
  std::map<std::string, const Finished*> last;  // by trial
  for (const Finished& piece : journal.finished) {
    if (!piece.first.starts_with(trial))
      continue;
    const std::string whole = piece.second.has("part_of")
                                  ? std::string(trial) + piece.second.text("part_of")
                                  : piece.first;
    const Finished*& known = last[whole];
    if (known == nullptr || place(piece) > place(*known))
      known = &piece;
  }
  std::vector<const Finished*> pieces;
  for (const auto& [whole, piece] : last)
    pieces.push_back(piece);
  return pieces;
}

Counts count(const work::JournalContents& journal) {
  Counts counts;
  for (const Finished* piece : last_pieces(journal)) {
    const trials::TrialResult result = trials::result_from_record(piece->second);
    ++counts.by_status[core::to_string(result.status)];
    counts.seconds += result.device_seconds;
    if (!trials::succeeded(result.status))
      counts.failures.push_back(fmt::format("  {} {}{}, attempt {}: {}{}",
                                            short_key(piece->first),
                                            core::to_string(result.status),
                                            place_of(result),
                                            result.attempt + 1,
                                            result.reason,
                                            indented(result.log_tail)));
  }
  return counts;
}

/// The best trial of each list and each arm's search, as its newest launch noted it: scores of
/// different ones, which may be trained on other data with other networks, do not compare.
std::string best_text(const work::JournalContents& journal) {
  std::vector<std::string> labels;  // in the order of the study
  std::map<std::string, std::string> said;
  for (const work::Event& event : journal.events) {
    if (event.kind != "outlook" || !event.data.has("best_is") ||
        event.data.text("best_is").empty())
      continue;
    if (!said.contains(event.key))
      labels.push_back(event.key);
    said[event.key] = fmt::format("{}: best validation Dice {:.4f} ({})\n",
                                  event.key,
                                  event.data.number("best"),
                                  event.data.text("best_is"));
  }
  std::string text;
  for (const std::string& label : labels)
    text += said[label];
  return text;
}

std::string finished_text(const Counts& counts, const std::string& best) {
  std::string text;
  for (const auto& [status, number] : counts.by_status)
    text += fmt::format("trials {}: {}\n", status, number);
  if (counts.by_status.empty())
    return "no trial has finished yet\n";
  return text + fmt::format("{:.3f} device hours of finished trials\n", counts.seconds / 3600) +
         best;
}

std::string how_far(const work::OpenPiece& piece) {
  if (!piece.progress.has("epochs"))
    return "in its first epoch";
  return fmt::format(
      "{} of {} epochs done", piece.progress.integer("epochs"), piece.progress.integer("of"));
}

/// Trials that are under way: by ranks of the live job, or waiting for the next one.
std::string open_text(const work::JournalContents& journal, bool live) {
  std::string running;
  std::string waiting;
  for (const auto& [piece, open] : journal.open) {
    if (!piece.starts_with(trial) || journal.finished.contains(piece))
      continue;
    if (live && open.launch == journal.last_launch)
      running +=
          fmt::format("  {} on rank {}: {}\n", short_key(piece), open.rank, how_far(open));
    else
      waiting += fmt::format("  {}: {}\n", short_key(piece), how_far(open));
  }
  return (running.empty() ? "" : "running:\n" + running) +
         (waiting.empty() ? "" : "interrupted, to be gone on with:\n" + waiting);
}

/// How far the live job said that its present stage is.
std::string outlook_text(const work::JournalContents& journal) {
  const auto said = std::find_if(
      journal.events.rbegin(), journal.events.rend(), [](const work::Event& event) {
        return event.kind == "outlook";
      });
  // A launch is named by its time, in microseconds.
  if (said == journal.events.rend() ||
      said->data.number("at") * 1e6 < std::strtod(journal.last_launch.c_str(), nullptr))
    return "";
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  const double left =
      said->data.number("seconds_left") - (now.count() - said->data.number("at"));
  return fmt::format("{}: {} of {} trials done, {} left\n",
                     said->key,
                     said->data.integer("done"),
                     said->data.integer("total"),
                     core::duration_text(std::max(0.0, left)));
}

std::string status_text(const StudyOptions& options, const core::Log& log) {
  const std::filesystem::path folder = options.output.folder;
  if (!std::filesystem::exists(folder / "study.json"))
    throw core::ConfigurationError(
        fmt::format("there is no study in {} yet; `proxytune run` starts it", folder.string()));
  // Before the journal: what ends meanwhile is then said to run, not to be interrupted.
  const std::optional<std::string> holder = study::live_holder(folder);
  const work::JournalContents journal =
      work::read_journal(folder / "journal", options.name, log);
  const Counts counts = count(journal);
  std::string text = fmt::format("study {} in {}\n", options.name, folder.string());
  text += holder ? "at work: " + *holder + "\n" + outlook_text(journal) : "no job is at work\n";
  text += finished_text(counts, best_text(journal));
  text += open_text(journal, holder.has_value());
  text += shards_text(folder, options.name);
  text += costs_text(costs_on_disk(folder, options.name));
  text += std::filesystem::exists(folder / "results.h5")
              ? fmt::format("results: {}\n", (folder / "results.h5").string())
              : "results: not written; the study is not complete\n";
  for (const std::string& failure : counts.failures)
    text += failure + "\n";
  return text;
}

}  // namespace

void print_status(app::Session& session) {
  comm::from_root(session.world, [&] {
    session.log.info(status_text(read_study(session.study), session.log));
    return std::string();
  });
}

}  // namespace proxytune::jobs
