#include "thread_communicator.h"

#include <cstring>
#include <stdexcept>

#include "limits.h"

namespace proxytune::comm {
namespace {

void throw_if_failed(const ThreadFamily& family) {
  if (family.failed)
    throw PeerFailed("another rank of this process ended with an error");
}

}  // namespace

ThreadGroup::ThreadGroup(std::shared_ptr<ThreadFamily> of_family, int ranks)
    : family(std::move(of_family)),
      size(ranks),
      round(std::make_shared<Round>()),
      mailboxes(static_cast<std::size_t>(ranks)) {
  round->contributions.resize(static_cast<std::size_t>(ranks));
}

/// Every collective is this one: all ranks put something and see what all have put.
std::shared_ptr<const ThreadGroup::Round> ThreadCommunicator::exchange(
    ThreadGroup::Contribution mine) {
  ThreadFamily& family = *group_->family;
  std::unique_lock lock(family.mutex);
  throw_if_failed(family);
  const std::shared_ptr<ThreadGroup::Round> round = group_->round;
  round->contributions[static_cast<std::size_t>(rank_)] = std::move(mine);
  const auto complete = [&] { return round->arrived == size(); };
  if (++round->arrived == size()) {
    group_->round = std::make_shared<ThreadGroup::Round>();
    group_->round->contributions.resize(round->contributions.size());
    family.changed.notify_all();
  }
  family.changed.wait(lock, [&] { return complete() || family.failed; });
  if (!complete())
    throw_if_failed(family);
  return round;
}

void ThreadCommunicator::barrier() {
  exchange({});
}

void ThreadCommunicator::broadcast(std::vector<std::byte>& bytes, int root) {
  check_root(*this, root);
  const auto round = exchange({rank_ == root ? bytes : std::vector<std::byte>{}, nullptr});
  bytes = round->contributions[static_cast<std::size_t>(root)].bytes;
}

std::vector<std::vector<std::byte>> ThreadCommunicator::all_gather(
    std::span<const std::byte> mine) {
  std::vector<std::vector<std::byte>> all;
  const auto round = exchange({{mine.begin(), mine.end()}, nullptr});
  for (const ThreadGroup::Contribution& each : round->contributions)
    all.push_back(each.bytes);
  return all;
}

void ThreadCommunicator::send(std::span<const std::byte> bytes, int to, Tag tag) {
  check_message(*this, bytes.size(), to);
  Message message{rank_, {bytes.begin(), bytes.end()}};
  const std::scoped_lock lock(group_->family->mutex);
  throw_if_failed(*group_->family);
  group_->mailboxes[static_cast<std::size_t>(to)][tag].push_back(std::move(message));
}

std::optional<Message> ThreadCommunicator::try_receive(Tag tag) {
  const std::scoped_lock lock(group_->family->mutex);
  throw_if_failed(*group_->family);
  std::deque<Message>& box = group_->mailboxes[static_cast<std::size_t>(rank_)][tag];
  if (box.empty())
    return std::nullopt;
  Message message = std::move(box.front());
  box.pop_front();
  return message;
}

std::unique_ptr<Communicator> ThreadCommunicator::split(int color) {
  if (color < 0)
    throw std::invalid_argument("split: a color is 0 or more");
  std::vector<std::byte> mine(sizeof color);
  std::memcpy(mine.data(), &color, sizeof color);
  int first = -1;
  int members = 0;
  int place = 0;
  const std::vector<std::vector<std::byte>> colors = all_gather(mine);
  for (int other = 0; other < size(); ++other) {
    if (colors[static_cast<std::size_t>(other)] != mine)
      continue;
    if (first < 0)
      first = other;
    if (other < rank_)
      ++place;
    ++members;
  }
  ThreadGroup::Contribution contribution;
  if (rank_ == first)
    contribution.group = std::make_shared<ThreadGroup>(group_->family, members);
  const auto round = exchange(std::move(contribution));
  return std::make_unique<ThreadCommunicator>(
      round->contributions[static_cast<std::size_t>(first)].group, place);
}

}  // namespace proxytune::comm
