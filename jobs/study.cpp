#include "jobs/study.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "jobs/study_changes.h"
#include "jobs/time_limit.h"
#include "jobs/version.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/hash.h"
#include "proxytune/similarity/device.h"
#include "proxytune/similarity/instruction_set.h"
#include "proxytune/study/checkpoint.h"

namespace proxytune::jobs {
namespace {

study::Fields fields_of(const training::Numerics& numerics) {
  return {{"proxytune", numerics_version()},
          {"onednn_limit", numerics.onednn_limit.empty() ? "none" : numerics.onednn_limit},
          {"libtorch", numerics.libtorch},
          {"instruction_set", numerics.instruction_set},
          {"threads_per_trial", std::to_string(numerics.threads_per_trial)},
          {"precision", core::to_string(numerics.precision)},
          {"device", numerics.device}};
}

std::string text_of(const study::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += name + " " + value + "\n";
  return text;
}

/// Whether "avx2 and avx512" names "avx2": whole words only.
bool names_one(const std::string& list, const std::string& value) {
  return (" and " + list + " and ").find(" and " + value + " and ") != std::string::npos;
}

int batch_number(const study::StudyFolder& folder, const std::string& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    throw core::DataError(fmt::format(
        "{}: \"{}\" is no number of a batch; remove the file, and the pair matrix is "
        "computed again",
        (folder.path() / "batches.json").string(),
        text));
  return number;
}

/// Whether --retry asks for trials that ended like this.
bool retries(const std::string& which, const std::string& status) {
  return which == "failed" ? status != "completed" && status != "diverged" : which == status;
}

/// Sorts after every earlier launch of the study.
std::string new_launch() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  return fmt::format("{:020d}-{}", now.count(), getpid());
}

void refuse_unequal_ranks(comm::Communicator& world, const study::Fields& mine) {
  const std::vector<std::string> all = comm::gather_texts(world, text_of(mine));
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0])
      throw core::ConfigurationError(
          fmt::format("ranks 0 and {} would compute with different numerics, and results would "
                      "depend on who runs what:\n{}against\n{}Use equal nodes, or set "
                      "ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA to what all of them have",
                      rank,
                      all[0],
                      all[rank]));
}

/// Tells a bar of each piece that is given out.
class CountedSource : public work::Source {
 public:
  CountedSource(work::Source& inner, core::ProgressBar& bar) : inner_(inner), bar_(bar) {}
  std::optional<work::Item> next() override {
    std::optional<work::Item> item = inner_.next();
    if (item)
      bar_.begin();
    return item;
  }
  bool exhausted() const override { return inner_.exhausted(); }
  void report(const work::Item& item, const work::Record& result) override {
    inner_.report(item, result);
  }

 private:
  work::Source& inner_;
  core::ProgressBar& bar_;
};

/// What `auto` says must hold for all ranks.
network::Precision common_precision(comm::Communicator& world, const StudyOptions& options) {
  const network::Precision here = network::resolved(options.compute.precision);
  return comm::any(world, here == network::Precision::f32) ? network::Precision::f32 : here;
}

}  // namespace

Study::Study(app::Session& session, Folder folder)
    : session_(session),
      options_(read_study(session.study)),
      shard_(parse_shard(session.request.shard)),
      base_path_(std::filesystem::absolute(options_.output.folder)),
      folder_path_(shard_.whole() ? base_path_ : shard_folder(base_path_, shard_)) {
  const auto node = world().split_by_node();
  node_rank_ = node->rank();
  node_ranks_ = node->size();
  numerics_ = training::set_up_numerics(
      options_.compute.threads_per_trial, node->rank(), common_precision(world(), options_));
  refuse_unequal_ranks(world(), fields_of(numerics_));
  comm::together(world(), [&] {
    similarity::chosen_instruction_set();
    similarity::require_device(options_.similarity);
  });
  if (folder == Folder::untouched)
    return;
  start_clock();

  launch_ = comm::from_root(world(), [&] {
    open_folder();
    return new_launch();
  });
  share_whether_mixed();
  share_open_starts();
  comm::together(world(), [&] {
    journal_ = std::make_unique<work::Journal>(
        folder_path_ / "journal", options_.name, launch_, world().rank());
  });
  comm::from_root(world(), [&] {
    forget_failures();
    return std::string();
  });
}

void Study::start_clock() {
  const TimeLimit limit = agreed_time_limit(world(), options_.compute);
  const double grace = options_.compute.grace;
  const auto say_limit = [log = log(), limit, root = world().is_root()] {
    const std::string line = limit.name + " comes near: stopping; the same command goes on";
    root ? log.info(line) : log.warn(line);
  };
  const auto end_by_force = [this, grace] {
    if (const std::optional<comm::Failure> failure = failed_with()) {
      log().error(failure->sentence);
      comm::MpiEnvironment::abort(static_cast<int>(failure->code));
    }
    // A rank with an error says it first.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    log().error(
        fmt::format("rank {} has not come to its end {:g} s (compute.grace) after it was asked "
                    "to stop: the "
                    "job is ended by force; the same command goes on from the last checkpoints",
                    world().rank(),
                    grace));
    comm::MpiEnvironment::abort(static_cast<int>(core::ExitCode::stopped));
  };
  // The others come a little later, so that one rank says it.
  const double later = world().is_root() ? 0 : 0.2;
  clock_ = std::make_unique<work::StopClock>(
      stop(),
      work::StopClock::Times{.limit = limit.seconds + later, .grace = grace},
      work::StopClock::Calls{say_limit, end_by_force});
}

void Study::open_folder() {
  if (!shard_.whole())
    open_base();
  const study::StudyFolder folder = study::StudyFolder::open(folder_path_, options_.name);
  lock_ = std::make_unique<study::StudyLock>(folder_path_);
  std::vector<std::filesystem::path> journals{folder.journal()};
  // After the study's own: what a shard forgot or did later counts.
  if (!shard_.whole())
    journals.insert(journals.begin(), base_path_ / "journal");
  past_ = work::read_journal(journals, options_.name, log());
  const study::Fields resolved = named_fields(options_);
  if (const auto before = folder.fields("resolved")) {
    const auto changes = changes_between(*before, resolved);
    // Where nothing is finished nothing can be lost.
    study::require_accepted(
        changes, stages(), session_.request.accept_changes || past_.finished.empty());
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
  study::require_accepted(changes_between(*before, named_fields(options_)), stages(), false);
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
  study::Fields mixed = *frozen;
  for (const auto& [name, value] : present)
    if (!names_one(mixed[name], value))
      mixed[name] += " and " + value;
  numerics_mixed_ = numerics_mixed_ || mixed != present;
  if (mixed != *frozen)
    folder.save_fields("numerics", mixed);
}

/// Of trials that a launch finished which was killed before it could remove them.
void Study::remove_spent_checkpoints(const study::StudyFolder& folder) const {
  for (const std::string& key : study::checkpointed(folder.checkpoints()))
    if (past_.finished.contains("trial/" + key))
      study::CheckpointFile(folder.checkpoints(), key, {}).remove();
}

std::optional<comm::Failure> Study::failed_with() const {
  const std::scoped_lock lock(failure_mutex_);
  return failure_;
}

study::Fields Study::numerics_fields() const {
  return fields_of(numerics_);
}

void Study::note(const work::Event& event) const {
  journal_->append(event, work::Journal::OnDisk::soon);
}

void Study::sync_journal() const {
  journal_->sync();
}

void Study::accept_numerics(const study::Fields& numerics) {
  freeze_numerics(study::StudyFolder::open(folder_path_, options_.name), numerics);
}

void Study::share_whether_mixed() {
  numerics_mixed_ = comm::any(world(), numerics_mixed_);
}

void Study::share_open_starts() {
  const std::string text = comm::from_root(world(), [&] {
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

std::filesystem::path Study::input(const std::string& path) const {
  return resolve_path(path, session_.request.subject);
}

std::map<std::string, work::Record> Study::distribute(
    const std::string& kind,
    core::ProgressBar& bar,
    work::Source& source,
    const work::Worker& worker,
    const std::function<work::Record(const work::Item&)>& lost,
    const std::function<void(const work::Progress&)>& progress,
    bool short_pieces,
    const work::AgainRule& again) {
  CountedSource counted(source, bar);
  // Tiles are the study's: a shard that had to compute one would do so beside all others.
  const work::Worker own = [&](const work::Item& item) {
    if (kind != "trial")
      require_not_shard();
    try {
      return worker(item);
    } catch (const core::Stopped&) {
      throw;
    } catch (...) {
      const std::scoped_lock lock(failure_mutex_);
      failure_ = comm::current_failure();
      throw;
    }
  };
  auto results = work::distribute(world(),
                                  &counted,
                                  *journal_,
                                  past_,
                                  own,
                                  lost,
                                  {.stage = kind,
                                   .max_attempts = options_.compute.max_attempts,
                                   .short_pieces = short_pieces,
                                   .again = again},
                                  stop(),
                                  [&](const work::Progress& step) {
                                    require_lock();
                                    if (step.rank < 0)
                                      bar.skip();
                                    else
                                      bar.end();
                                    progress(step);
                                  });
  // Later stages may ask for the same pieces.
  for (const auto& [key, result] : results)
    past_.finished.emplace(kind + "/" + key, result);
  return results;
}

void Study::require_same_cases(const study::Fields& keys) {
  comm::from_root(world(), [&] {
    const study::StudyFolder folder = study::StudyFolder::open(base_path_, options_.name);
    study::Fields known = folder.fields("cases").value_or(study::Fields{});
    for (const auto& [id, key] : keys) {
      const auto before = known.find(id);
      if (before != known.end() && before->second != key && !past_.finished.empty() &&
          !session_.request.accept_changes)
        throw core::ConfigurationError(fmt::format(
            "the files of {} have changed since this study began, which makes all that "
            "was computed from them useless: restore them, repeat with --accept-changes, "
            "or choose another output.folder",
            id));
      known[id] = key;
    }
    if (shard_.whole())
      folder.save_fields("cases", known);
    return std::string();
  });
}

std::vector<int> Study::batches(const std::vector<std::string>& keys) {
  const std::string text = comm::from_root(world(), [&] {
    const study::StudyFolder folder = study::StudyFolder::open(base_path_, options_.name);
    study::Fields known = folder.fields("batches").value_or(study::Fields{});
    int next = 0;
    for (const auto& [key, batch] : known)
      next = std::max(next, batch_number(folder, batch) + 1);
    bool grown = false;
    std::string lines;
    for (const std::string& key : keys) {
      const auto [place, is_new] = known.try_emplace(key, std::to_string(next));
      grown = grown || is_new;
      lines += place->second + "\n";
    }
    if (grown) {
      require_not_shard();
      folder.save_fields("batches", known);
    }
    return lines;
  });
  std::vector<int> batches;
  std::istringstream lines(text);
  for (int batch = 0; lines >> batch;)
    batches.push_back(batch);
  return batches;
}

void Study::forget(const std::string& kind, const std::string& key) {
  if (past_.finished.erase(kind + "/" + key) > 0)
    journal_->append({"forgotten", kind, key, {}});
}

/// Of --retry: what did not complete is done again, with as many attempts as if it were new.
void Study::forget_failures() {
  const std::string& which = session_.request.retry;
  if (which.empty())
    return;
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
    journal_->append({"forgotten", "trial", piece.substr(piece.find('/') + 1), {}});
  }
  log().info(fmt::format("retry: {} trials run again", forgotten.size()));
}

void Study::adopt(const std::string& kind, const std::string& key, const work::Record& result) {
  journal_->append({"finished", kind, key, result});
  past_.finished.insert_or_assign(kind + "/" + key, result);
}

const work::Record* Study::finished(const std::string& kind, const std::string& key) const {
  const auto found = past_.finished.find(kind + "/" + key);
  return found == past_.finished.end() ? nullptr : &found->second;
}

void Study::require_lock() const {
  if (lock_ && lock_->lost())
    throw core::SystemError(fmt::format(
        "another job has taken over {}, because this one gave no sign of life for too "
        "long; this one ends, and what it finished is kept",
        folder_path_.string()));
}

std::string result_fields_text(const StudyOptions& options) {
  StudyOptions kept = options;
  kept.compute = {};
  kept.failures = {};
  kept.output = {};
  const similarity::SimilarityOptions plain;
  kept.similarity.tile = plain.tile;
  kept.similarity.memory = plain.memory;
  kept.similarity.threads = plain.threads;
  kept.similarity.device = plain.device;
  kept.similarity.device_memory = plain.device_memory;
  return config::to_yaml(kept);
}

}  // namespace proxytune::jobs
