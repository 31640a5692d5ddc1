#include "jobs/merge.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "jobs/shards.h"
#include "jobs/study_changes.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/trials/trial.h"

namespace proxytune::jobs {
namespace {

/// Results of another study, or of another meaning of the same fields, are no results of this.
void require_same_study(const Study& study, const study::StudyFolder& shard) {
  const auto resolved = shard.fields("resolved");
  if (!resolved)
    throw core::DataError(shard.path().string() +
                          " has no resolved.json, so nobody knows what it computed: remove the "
                          "folder, and run the shard again");
  for (const study::Change& change : changes_between(*resolved, study.resolved_fields()))
    if (change.meaning.effect == study::Effect::invalidates)
      throw core::ConfigurationError(fmt::format(
          "{} was computed with {}: {}, but the study says {}. Run the shard again with this "
          "study file, or merge with that one",
          shard.path().string(),
          change.field,
          change.before.value_or("nothing"),
          change.after.value_or("nothing")));
}

/// Weights lie beside the journal that names them.
void fetch_weights(const Study& study,
                   const std::filesystem::path& shard,
                   const work::Record& result) {
  const std::string file = trials::result_from_record(result).weights_file;
  if (!file.empty())
    core::write_file_atomically(study.folder() / file, core::read_file(shard / file));
}

bool completed(const work::Record& result) {
  return trials::result_from_record(result).status == trials::TrialStatus::completed;
}

/// What the study has not, and what completed where it has recorded a failure. A failure that
/// is to run again is not taken back.
bool is_wanted(const Study& study, const std::string& key, const work::Record& result) {
  if (const work::Record* known = study.journal().finished("trial", key))
    return !completed(*known) && completed(result);
  return completed(result) || !study.journal().is_forgotten("trial", key);
}

/// How many of the shard's finished trials are new here.
int take_over(Study& study, const std::filesystem::path& path) {
  const study::StudyFolder shard = study::StudyFolder::open(path, study.options().name);
  require_same_study(study, shard);
  const work::JournalContents journal =
      work::read_journal(shard.journal(), study.options().name, study.log());
  std::vector<std::pair<std::string, const work::Record*>> trials;
  for (const auto& [piece, result] : journal.finished) {
    const std::string kind = "trial/";
    if (piece.starts_with(kind) && is_wanted(study, piece.substr(kind.size()), result))
      trials.emplace_back(piece.substr(kind.size()), &result);
  }
  if (trials.empty())
    return 0;
  study.accept_numerics(shard.fields("numerics").value_or(study::Fields{}));
  for (const auto& [key, result] : trials) {
    fetch_weights(study, path, *result);
    if (study.journal().finished("trial", key) != nullptr)
      study.journal().forget("trial", key);
    study.journal().adopt("trial", key, *result);
  }
  study.journal().sync();
  return static_cast<int>(trials.size());
}

}  // namespace

void merge_shards(Study& study) {
  comm::from_root(study.world(), [&] {
    const std::vector<std::filesystem::path> folders = shard_folders(study.folder());
    if (folders.empty())
      throw core::ConfigurationError(
          fmt::format("{} holds no shards: `proxytune sweep STUDY.yaml --shard 1/3` makes the "
                      "first of three",
                      study.folder().string()));
    for (const std::filesystem::path& folder : folders)
      study.log().info(fmt::format("merge: {} trials taken over from {}",
                                   take_over(study, folder),
                                   folder.filename().string()));
    return std::string();
  });
  study.share_whether_mixed();
}

void require_all_merged(Study& study, const std::vector<PlacedTrial>& sweep) {
  comm::from_root(study.world(), [&] {
    std::string missing;
    std::size_t count = 0;
    for (const PlacedTrial& trial : sweep) {
      if (study.journal().finished("trial", trials::trial_key(trial.spec)))
        continue;
      const trials::HyperParameters& hp = trial.spec.hyper_parameters;
      missing += fmt::format("  arm {}, {} {:g}, repeat {}\n",
                             trial.where.arm,
                             core::to_string(hp.optimizer),
                             hp.learning_rate,
                             trial.where.repeat);
      ++count;
    }
    if (count > 0) {
      study.log().info("missing trials of the sweep:\n" + missing);
      throw core::Stopped(fmt::format(
          "{} of {} trials of the sweep are missing: run the shards again that are not done, "
          "then merge again; or `proxytune run` does what is missing in this job",
          count,
          sweep.size()));
    }
    return std::string();
  });
}

}  // namespace proxytune::jobs
