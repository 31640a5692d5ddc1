#include <map>

#include <fmt/format.h>

#include "jobs/jobs.h"
#include "jobs/study_options.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/study/folder.h"
#include "proxytune/trials/trial.h"
#include "proxytune/work/journal.h"

namespace proxytune::jobs {
namespace {

struct Counts {
  std::map<std::string, int> by_status;
  double seconds = 0;
  double best = 0;
  std::vector<std::string> failures;
};

Counts count(const work::JournalContents& journal) {
  Counts counts;
  for (const auto& [key, record] : journal.finished) {
    if (!key.starts_with("trial/"))
      continue;
    const trials::TrialResult result = trials::result_from_record(record);
    ++counts.by_status[core::to_string(result.status)];
    counts.seconds += result.seconds;
    if (result.status == trials::TrialStatus::completed)
      counts.best = std::max(counts.best, result.best_validation_dice);
    else
      counts.failures.push_back(fmt::format(
          "  {} {}: {}", key.substr(6, 12), core::to_string(result.status), result.reason));
  }
  return counts;
}

}  // namespace

void print_status(app::Session& session) {
  comm::from_root(session.world, [&] {
    const StudyOptions options = read_study(session.study);
    const std::filesystem::path folder = options.output.folder;
    if (!std::filesystem::exists(folder / "study.json"))
      throw core::ConfigurationError(fmt::format(
          "there is no study in {} yet; `proxytune run` starts it", folder.string()));
    const work::JournalContents journal =
        work::read_journal(folder / "journal", options.name, session.log);
    const Counts counts = count(journal);
    std::string text = fmt::format("study {} in {}\n", options.name, folder.string());
    for (const auto& [status, number] : counts.by_status)
      text += fmt::format("trials {}: {}\n", status, number);
    int unfinished = 0;
    for (const auto& [key, attempts] : journal.attempts)
      if (attempts > 0 && !journal.finished.contains(key))
        ++unfinished;
    text += fmt::format("started and not finished: {}\n", unfinished);
    if (counts.by_status.empty())
      text += "no trial has finished yet\n";
    else
      text +=
          fmt::format("best validation Dice {:.4f}, {:.3f} device hours of finished trials\n",
                      counts.best,
                      counts.seconds / 3600);
    text += std::filesystem::exists(folder / "results.h5")
                ? fmt::format("results: {}\n", (folder / "results.h5").string())
                : "results: not written; the study is not complete\n";
    for (const std::string& failure : counts.failures)
      text += failure + "\n";
    session.log.info(text);
    return std::string();
  });
}

}  // namespace proxytune::jobs
