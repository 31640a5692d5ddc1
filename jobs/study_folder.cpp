#include <fmt/format.h>

#include "jobs/replay.h"
#include "jobs/study.h"
#include "jobs/study_changes.h"
#include "jobs/study_numerics.h"
#include "jobs/warm_start.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/error.h"
#include "proxytune/core/files.h"
#include "proxytune/study/checkpoint.h"

// Of a study: what its folder says, and what a shard takes from its study's.
namespace proxytune::jobs {

void Study::open_folder() {
  if (!shard_.whole())
    open_base();
  const study::StudyFolder folder = study::StudyFolder::open(folder_path_, options_.name);
  lock_ = std::make_unique<study::StudyLock>(folder_path_);
  std::vector<std::filesystem::path> journals{folder.journal()};
  // After the study's own: what a shard forgot or did later counts.
  if (!shard_.whole())
    journals.insert(journals.begin(), base_path_ / "journal");
  journal_.read(journals, options_.name, log());
  const study::Fields resolved = resolved_fields();
  if (const auto before = folder.fields("resolved")) {
    const auto changes = changes_between(*before, resolved);
    // Where nothing is finished nothing can be lost.
    study::require_accepted(
        changes, stages(), session_.request.accept_changes || journal_.empty());
  }
  freeze_numerics(folder, fields_of(numerics_));
  remove_spent_checkpoints(folder);
  folder.save_fields("resolved", resolved);
  core::write_file_atomically(folder_path_ / "study.yaml", config::to_yaml(options_));
}

/// What a shard shares with the others: read, and never written.
void Study::open_base() {
  if (!std::filesystem::exists(base_path_ / "study.json"))
    require_not_shard();
  const study::StudyFolder base = study::StudyFolder::open(base_path_, options_.name);
  const auto before = base.fields("resolved");
  const auto numerics = base.fields("numerics");
  if (!before || !numerics)
    require_not_shard();
  // Nothing of the study's may be made useless from a shard.
  study::require_accepted(changes_between(*before, resolved_fields()), stages(), false);
  study::require_same_numerics(
      *numerics, fields_of(numerics_), session_.request.accept_other_numerics);
}

void Study::require_not_shard() const {
  if (!shard_.whole())
    throw core::ConfigurationError(fmt::format(
        "shards share the volumes and pair matrices of their study, and {} does not hold all "
        "of them: run `proxytune select` on this study file once, then its shards",
        base_path_.string()));
}

void Study::freeze_numerics(const study::StudyFolder& folder, const study::Fields& present) {
  const auto frozen = folder.fields("numerics");
  if (!frozen) {
    folder.save_fields("numerics", present);
    return;
  }
  study::require_same_numerics(*frozen, present, session_.request.accept_other_numerics);
  const study::Fields both = mixed(*frozen, present);
  numerics_mixed_ = numerics_mixed_ || both != present;
  if (both != *frozen)
    folder.save_fields("numerics", both);
}

/// Of trials that a launch finished which was killed before it could remove them.
void Study::remove_spent_checkpoints(const study::StudyFolder& folder) const {
  for (const std::string& key : study::checkpointed(folder.checkpoints()))
    if (journal_.finished("trial", key) != nullptr)
      study::CheckpointFile(folder.checkpoints(), key, {}).remove();
}

void Study::accept_numerics(const study::Fields& numerics) {
  freeze_numerics(study::StudyFolder::open(folder_path_, options_.name), numerics);
}

void Study::share_whether_mixed() {
  numerics_mixed_ = comm::any(world(), numerics_mixed_);
}

study::Fields Study::resolved_fields() const {
  study::Fields fields = named_fields(options_);
  if (const auto& warm = options_.search.options.warm_start)
    fields["search.warm_start.content"] = warm_start_content(options_, input(warm->results));
  if (const auto& replay = options_.search.options.replay)
    fields.merge(replay_fields(options_, input(replay->points)));
  return fields;
}

study::Fields Study::numerics_fields() const {
  return fields_of(numerics_);
}

}  // namespace proxytune::jobs
