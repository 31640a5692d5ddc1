#include "jobs/study.h"

#include <chrono>

#include <fmt/format.h>
#include <unistd.h>

#include "jobs/study_numerics.h"
#include "jobs/trial_teams.h"
#include "proxytune/comm/agree.h"
#include "proxytune/comm/observed.h"
#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

/// Sorts after every earlier launch of the study.
std::string new_launch() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  return fmt::format("{:020d}-{}", now.count(), getpid());
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

}  // namespace

Study::Study(app::Session& session, Folder folder)
    : session_(session),
      world_(comm::observed(session.world,
                            [this](const char* operation) { waits_.in(operation); })),
      options_(read_study(session.study)),
      shard_(parse_shard(session.request.shard)),
      base_path_(std::filesystem::absolute(options_.output.folder)),
      folder_path_(shard_.whole() ? base_path_ : shard_folder(base_path_, shard_)) {
  const auto node = world().split_by_node();
  node_rank_ = node->rank();
  node_ranks_ = node->size();
  numerics_ = agreed_numerics(world(), node_rank_, options_);
  require_whole_teams(world().size(), options_);
  if (folder == Folder::untouched)
    return;
  clock_ = std::make_unique<JobClock>(world(), log(), options_.compute, stop());

  launch_ = comm::from_root(world(), [&] {
    open_folder();
    return new_launch();
  });
  share_whether_mixed();
  journal_.share_open_starts(world());
  comm::together(world(), [&] {
    journal_.begin(folder_path_ / "journal", options_.name, launch_, world().rank());
    account_ = std::make_unique<LaunchAccount>(journal_, session_.begun);
  });
  hang_watch_ = guard_against_hangs(
      session_.world, log(), options_.compute.hang_timeout, waits_, account());
  comm::from_root(world(), [&] {
    if (const std::string& which = session_.request.retry; !which.empty())
      log().info(fmt::format("retry: {} trials run again", journal_.forget_failures(which)));
    return std::string();
  });
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
    const work::AgainRule& again,
    int at_once) {
  CountedSource counted(source, bar);
  // Tiles are the study's: a shard that had to compute one would do so beside all others.
  const work::Worker own = [&](const work::Item& item) {
    if (kind != "trial")
      require_not_shard();
    return account_for(kind, item, worker, again);
  };
  waits_.pieces_are_given_out(true);
  auto results = work::distribute(world(),
                                  &counted,
                                  journal_.segment(),
                                  journal_.past(),
                                  own,
                                  lost,
                                  {.stage = kind,
                                   .max_attempts = options_.compute.max_attempts,
                                   .at_once = at_once,
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
  waits_.pieces_are_given_out(false);
  journal_.add_finished(kind, results);
  return results;
}

work::Record Study::account_for(const std::string& kind,
                                const work::Item& item,
                                const work::Worker& worker,
                                const work::AgainRule& again) {
  using End = work::Account::End;
  account().begin(item.key);
  try {
    work::Record result = worker(item);
    const bool counts = kind != "trial" || (!is_failure(trials::result_from_record(result)) &&
                                            again(result, item.attempt) == work::Again::no);
    account_->end(item.key, counts ? End::done : End::failed);
    return result;
  } catch (const core::Stopped&) {
    account_->end(item.key, End::left);
    throw;
  } catch (...) {
    account_->end(item.key, End::left);
    clock_->failed(comm::current_failure());
    throw;
  }
}

void Study::require_lock() const {
  if (lock_ && lock_->lost())
    throw core::SystemError(fmt::format(
        "another job has taken over {}, because this one gave no sign of life for too "
        "long; this one ends, and what it finished is kept",
        folder_path_.string()));
}

}  // namespace proxytune::jobs
