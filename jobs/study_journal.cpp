#include "jobs/study_journal.h"

#include <sstream>

#include <fmt/format.h>

#include "proxytune/comm/agree.h"
#include "proxytune/trials/trial.h"

namespace proxytune::jobs {
namespace {

/// Whether --retry asks for trials that ended like this.
bool retries(const std::string& which, const std::string& status) {
  if (which != "failed")
    return which == status;
  return status != "diverged" &&
         !trials::succeeded(core::from_string<trials::TrialStatus>(status));
}

}  // namespace

void StudyJournal::read(const std::vector<std::filesystem::path>& folders,
                        const std::string& study,
                        const core::Log& log) {
  past_ = work::read_journal(folders, study, log);
}

void StudyJournal::begin(const std::filesystem::path& folder,
                         const std::string& study,
                         const std::string& launch,
                         int rank) {
  segment_ = std::make_unique<work::Journal>(folder, study, launch, rank);
}

const work::Record* StudyJournal::finished(const std::string& kind,
                                           const std::string& key) const {
  const auto found = past_.finished.find(kind + "/" + key);
  return found == past_.finished.end() ? nullptr : &found->second;
}

void StudyJournal::share_open_starts(comm::Communicator& world) {
  const std::string text = comm::from_root(world, [&] {
    std::string lines;
    for (const auto& [key, starts] : past_.attempts)
      lines += fmt::format("{} {}\n", key, starts);
    return lines;
  });
  std::istringstream lines(text);
  std::string key;
  int starts = 0;
  while (lines >> key >> starts)
    past_.attempts[key] = starts;
}

void StudyJournal::forget(const std::string& kind, const std::string& key) {
  if (past_.finished.erase(kind + "/" + key) > 0)
    note({"forgotten", kind, key, {}});
}

std::size_t StudyJournal::forget_failures(const std::string& which) {
  std::vector<std::string> forgotten;
  for (const auto& [piece, result] : past_.finished)
    if (piece.starts_with("trial/") && retries(which, result.text("status")))
      forgotten.push_back(piece);
  for (const auto& [piece, starts] : past_.attempts)
    if (piece.starts_with("trial/") && !past_.finished.contains(piece) &&
        retries(which, "lost"))
      forgotten.push_back(piece);
  for (const std::string& piece : forgotten) {
    past_.finished.erase(piece);
    past_.attempts.erase(piece);
    past_.retried.erase(piece);
    past_.forgotten.insert(piece);
    note({"forgotten", "trial", piece.substr(piece.find('/') + 1), {}});
  }
  sync();
  return forgotten.size();
}

void StudyJournal::adopt(const std::string& kind,
                         const std::string& key,
                         const work::Record& result) {
  note({"finished", kind, key, result});
  past_.finished.insert_or_assign(kind + "/" + key, result);
}

void StudyJournal::add_finished(const std::string& kind,
                                const std::map<std::string, work::Record>& results) {
  for (const auto& [key, result] : results)
    past_.finished.emplace(kind + "/" + key, result);
}

void StudyJournal::note(const work::Event& event) const {
  segment_->append(event, work::Journal::OnDisk::soon);
}

}  // namespace proxytune::jobs
