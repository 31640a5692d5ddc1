#pragma once

#include <mpi.h>

#include "proxytune/comm/device_collectives.h"

namespace proxytune::comm {

/// By MPI's own collectives and messages, straight from and into the buffers.
class MpiCollectives : public DeviceCollectives {
 public:
  /// `group` is the one that `communicator` belongs to; observers of it are told.
  MpiCollectives(Communicator& group, MPI_Comm communicator)
      : group_(group), communicator_(communicator) {}
  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  void sum(std::span<float> values) override;
  void sum(std::span<double> values) override;
  void exchange(const std::vector<Outgoing>& outgoing,
                const std::vector<Incoming>& incoming) override;
  void gather(std::span<float> values, std::span<const std::size_t> bounds) override;

 private:
  Communicator& group_;
  MPI_Comm communicator_;
};

}  // namespace proxytune::comm
