#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/mpi/communicator.hpp>

#include "proxytune/comm/communicator.h"

namespace proxytune::comm {

/// Turns MPI's return code into core::SystemError.
void check_mpi(int code, const char* call);

/// One rank of an MPI communicator.
class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(boost::mpi::communicator communicator);
  /// Waits for the messages still on their way; see the source for how long.
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return communicator_.rank(); }
  int size() const override { return communicator_.size(); }
  void barrier() override;
  void broadcast(std::vector<std::byte>& bytes, int root) override;
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) override;
  void send(std::span<const std::byte> bytes, int to, Tag tag) override;
  std::optional<Message> try_receive(Tag tag) override;
  std::unique_ptr<Communicator> split(int color) override;
  std::unique_ptr<Communicator> split_by_node() override;
  std::unique_ptr<Communicator> duplicate() override;
  MPI_Comm native() const { return communicator_; }

 private:
  /// A message on its way out or in: MPI uses the bytes until the request is done.
  struct Transfer {
    MPI_Request request = MPI_REQUEST_NULL;
    Message message;
  };

  void forget_sent();

  boost::mpi::communicator communicator_;
  std::mutex mutex_;  // of the two members below
  std::list<std::unique_ptr<Transfer>> outgoing_;
  std::map<Tag, std::unique_ptr<Transfer>> incoming_;  // at most one a tag: keeps the order
};

}  // namespace proxytune::comm
