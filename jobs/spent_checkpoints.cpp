#include "jobs/spent_checkpoints.h"

#include <utility>

namespace proxytune::jobs {

void SpentCheckpoints::add(const TrialCheckpoints& checkpoints) {
  const std::scoped_lock lock(mutex_);
  spent_[std::this_thread::get_id()].push_back(checkpoints);
}

void SpentCheckpoints::remove_mine() {
  std::vector<TrialCheckpoints> mine;
  {
    const std::scoped_lock lock(mutex_);
    auto found = spent_.extract(std::this_thread::get_id());
    if (found.empty())
      return;
    mine = std::move(found.mapped());
  }
  remove(mine);
}

void SpentCheckpoints::remove_all() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [thread, spent] : spent_)
    remove(spent);
  spent_.clear();
}

/// Their trials' results are to be safe from a crash of the machine as well.
void SpentCheckpoints::remove(const std::vector<TrialCheckpoints>& spent) const {
  study_.journal().sync();
  for (const TrialCheckpoints& checkpoints : spent)
    checkpoints.remove();
}

}  // namespace proxytune::jobs
