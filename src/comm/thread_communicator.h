#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"

namespace proxytune::comm {

/// What the ranks of a group say when another rank of the process has thrown.
struct PeerFailed : core::SystemError {
  using core::SystemError::SystemError;
};

/// All groups that come from one run_as_threads: one lock, so that one failure wakes everybody.
struct ThreadFamily {
  std::mutex mutex;
  std::condition_variable changed;
  bool failed = false;
  bool one_process = false;  // the family of self_communicator
};

/// The state that the ranks of one group share.
struct ThreadGroup {
  struct Contribution {
    std::vector<std::byte> bytes;
    std::shared_ptr<ThreadGroup> group;  // handed around by split
  };
  /// One collective: complete when every rank has put its contribution.
  struct Round {
    std::vector<Contribution> contributions;
    int arrived = 0;
  };

  ThreadGroup(std::shared_ptr<ThreadFamily> of_family, int ranks);

  const std::shared_ptr<ThreadFamily> family;
  const int size;
  std::shared_ptr<Round> round;
  std::vector<std::map<Tag, std::deque<Message>>> mailboxes;  // by receiver
};

/// One rank of a group of threads.
class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<ThreadGroup> group, int rank)
      : group_(std::move(group)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return group_->size; }
  void barrier() override;
  void broadcast(std::vector<std::byte>& bytes, int root) override;
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override;
  void send(std::span<const std::byte> bytes, int to, Tag tag) override;
  std::optional<Message> try_receive(Tag tag) override;
  std::unique_ptr<Communicator> split(int color) override;
  std::unique_ptr<Communicator> split_by_node() override { return split(0); }
  std::unique_ptr<Communicator> duplicate() override { return split(0); }
  bool one_process() const { return group_->family->one_process; }

 private:
  std::shared_ptr<const ThreadGroup::Round> exchange(ThreadGroup::Contribution mine);

  std::shared_ptr<ThreadGroup> group_;
  int rank_;
};

}  // namespace proxytune::comm
