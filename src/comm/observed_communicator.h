#pragma once

#include "proxytune/comm/observed.h"

namespace proxytune::comm {

class ObservedCommunicator : public Communicator {
 public:
  ObservedCommunicator(Communicator& inner, WaitObserver observer);
  ObservedCommunicator(std::unique_ptr<Communicator> inner, WaitObserver observer);

  Communicator& inner() { return inner_; }
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  void barrier() override;
  void broadcast(std::vector<std::byte>& bytes, int root) override;
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override;
  void send(std::span<const std::byte> bytes, int to, Tag tag) override;
  std::optional<Message> try_receive(Tag tag) override;
  std::unique_ptr<Communicator> split(int color) override;
  std::unique_ptr<Communicator> split_by_node() override;
  std::unique_ptr<Communicator> duplicate() override;
  void enter_library(const char* operation) override { observer_(operation); }

 private:
  std::unique_ptr<Communicator> own_;  // null where `inner` is somebody else's
  Communicator& inner_;
  WaitObserver observer_;
};

}  // namespace proxytune::comm
