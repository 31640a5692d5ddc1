#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "jobs/hang_guard.h"
#include "jobs/job_clock.h"
#include "jobs/launch_account.h"
#include "jobs/shards.h"
#include "jobs/study_journal.h"
#include "jobs/study_options.h"
#include "proxytune/app/app.h"
#include "proxytune/core/progress_bar.h"
#include "proxytune/core/random.h"
#include "proxytune/study/folder.h"
#include "proxytune/study/lock.h"
#include "proxytune/training/trainer.h"
#include "proxytune/work/distribute.h"

namespace proxytune::jobs {

/// A study in progress on all ranks: its options, its folder with the lock, its journal. Every
/// stage works on one of these. Constructing it is collective; so are the stages.
class Study {
 public:
  /// `untouched` opens no folder: nothing can be distributed, and nothing is written.
  enum class Folder { opened, untouched };
  explicit Study(app::Session& session, Folder folder = Folder::opened);

  const StudyOptions& options() const { return options_; }
  comm::Communicator& world() { return *world_; }
  const core::Log& log() const { return session_.log; }
  std::atomic<bool>& stop() const { return session_.stop; }
  /// Of this rank; in an opened folder only.
  work::StopClock& clock() const { return clock_->stop_clock(); }
  /// Where this rank's time goes; in an opened folder only.
  work::Account& account() const { return account_->account(); }
  /// Its own, with journal and lock; of a shard a folder within its study's.
  const std::filesystem::path& folder() const { return folder_path_; }
  /// The study's, with volumes and pair matrices; a shard only reads it.
  const std::filesystem::path& base() const { return base_path_; }
  const Shard& shard() const { return shard_; }
  /// Throws, in a shard: its study's folder does not hold all that shards share.
  void require_not_shard() const;
  const training::Numerics& numerics() const { return numerics_; }
  const std::string& launch() const { return launch_; }
  /// Position among the ranks of this node, and how many they are.
  int node_rank() const { return node_rank_; }
  int node_ranks() const { return node_ranks_; }
  bool numerics_mixed() const { return numerics_mixed_; }
  core::RandomKey random() const {
    return core::RandomKey(static_cast<std::uint64_t>(options_.seed));
  }
  /// A path of the study file, made absolute.
  std::filesystem::path input(const std::string& path) const;

  /// Hands pieces of work to the ranks; what earlier launches and stages finished is not run
  /// again. The bar counts all of them. Results by key, on every rank. Collective.
  std::map<std::string, work::Record> distribute(
      const std::string& kind,
      core::ProgressBar& bar,
      work::Source& source,
      const work::Worker& worker,
      const std::function<work::Record(const work::Item&)>& lost,
      const std::function<void(const work::Progress&)>& progress,
      bool short_pieces,
      const work::AgainRule& again = {},
      int at_once = 1);

  /// Does a piece, whose time is this rank's work or waste by how it ends: for ranks that help
  /// another with it, who is given it by distribute().
  work::Record account_for(const std::string& kind,
                           const work::Item& item,
                           const work::Worker& worker,
                           const work::AgainRule& again);

  /// How many trials each rank runs beside each other: decided and said at the first call, with
  /// the memory of a trial where that matters. Collective.
  int trials_at_once(const std::function<double()>& trial_bytes);

  /// Refuses cases whose files are others than when results were computed from them; keys by
  /// "internal/<id>" or "external/<id>". Collective.
  void require_same_cases(const study::Fields& keys);

  /// In which batch each case, by content key, came to this study; those not seen before are
  /// the next batch. What pairs of older batches gave stays as it is. Collective.
  std::vector<int> batches(const std::vector<std::string>& keys);

  /// What was done before, and where this rank notes what it does. In an opened folder only.
  StudyJournal& journal() { return journal_; }
  const StudyJournal& journal() const { return journal_; }

  /// Of results that are taken over: refused unless they are this study's, or accepted and
  /// marked. On rank 0; then share_whether_mixed().
  void accept_numerics(const study::Fields& numerics);
  /// Collective.
  void share_whether_mixed();

  /// All that results depend on: the study's fields, and what its warm start takes from an
  /// earlier study's results. On rank 0.
  study::Fields resolved_fields() const;

  /// Under which numerics this launch computes, as in the study's frozen fingerprint.
  study::Fields numerics_fields() const;

 private:
  void open_folder();
  void open_base();
  void freeze_numerics(const study::StudyFolder& folder, const study::Fields& present);
  void remove_spent_checkpoints(const study::StudyFolder& folder) const;
  void require_lock() const;
  app::Session& session_;
  Waits waits_;
  std::unique_ptr<comm::Communicator> world_;  // tells waits_ of its collectives
  StudyOptions options_;
  Shard shard_;
  std::filesystem::path base_path_;
  std::filesystem::path folder_path_;
  std::unique_ptr<study::StudyLock> lock_;  // on rank 0
  training::Numerics numerics_;
  bool numerics_mixed_ = false;
  int node_rank_ = 0;
  int node_ranks_ = 1;
  int trials_at_once_ = 0;  // 0: not yet decided
  std::string launch_;
  StudyJournal journal_;
  std::unique_ptr<LaunchAccount> account_;
  std::unique_ptr<work::HangWatch> hang_watch_;
  std::unique_ptr<JobClock> clock_;  // last: it watches what the others do
};

}  // namespace proxytune::jobs
