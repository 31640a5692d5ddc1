#include "observed_communicator.h"

#include <utility>

namespace proxytune::comm {
namespace {

/// As long as a rank is in a collective.
class Wait {
 public:
  Wait(const WaitObserver& observer, const char* operation) : observer_(observer) {
    observer_(operation);
  }
  ~Wait() { observer_(nullptr); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

 private:
  const WaitObserver& observer_;
};

}  // namespace

std::unique_ptr<Communicator> observed(Communicator& inner, WaitObserver observer) {
  return std::make_unique<ObservedCommunicator>(inner, std::move(observer));
}

ObservedCommunicator::ObservedCommunicator(Communicator& inner, WaitObserver observer)
    : inner_(inner), observer_(std::move(observer)) {}

ObservedCommunicator::ObservedCommunicator(std::unique_ptr<Communicator> inner,
                                           WaitObserver observer)
    : own_(std::move(inner)), inner_(*own_), observer_(std::move(observer)) {}

void ObservedCommunicator::barrier() {
  const Wait wait(observer_, "a barrier");
  inner_.barrier();
}

void ObservedCommunicator::broadcast(std::vector<std::byte>& bytes, int root) {
  const Wait wait(observer_, "a broadcast");
  inner_.broadcast(bytes, root);
}

std::vector<std::vector<std::byte>> ObservedCommunicator::all_gather(
    std::span<const std::byte> mine) {
  const Wait wait(observer_, "an all-gather");
  return inner_.all_gather(mine);
}

void ObservedCommunicator::send(std::span<const std::byte> bytes, int to, Tag tag) {
  inner_.send(bytes, to, tag);
}

std::optional<Message> ObservedCommunicator::try_receive(Tag tag) {
  return inner_.try_receive(tag);
}

std::unique_ptr<Communicator> ObservedCommunicator::split(int color) {
  const Wait wait(observer_, "a split");
  return std::make_unique<ObservedCommunicator>(inner_.split(color), observer_);
}

std::unique_ptr<Communicator> ObservedCommunicator::split_by_node() {
  const Wait wait(observer_, "a split by node");
  return std::make_unique<ObservedCommunicator>(inner_.split_by_node(), observer_);
}

std::unique_ptr<Communicator> ObservedCommunicator::duplicate() {
  const Wait wait(observer_, "a duplication");
  return std::make_unique<ObservedCommunicator>(inner_.duplicate(), observer_);
}

}  // namespace proxytune::comm
