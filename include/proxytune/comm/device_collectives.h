#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "proxytune/comm/communicator.h"

namespace proxytune::comm {

/// What large buffers of numbers need of a group of ranks, by whatever moves them best: one
/// rank, MPI, threads. Called by every rank of the group in the same order with equal lengths.
/// Failures of the transport throw core::SystemError.
class DeviceCollectives {
 public:
  struct Outgoing {
    int to = 0;
    std::span<const float> values;
  };
  struct Incoming {
    int from = 0;
    std::span<float> values;
  };

  virtual ~DeviceCollectives() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Adds up element by element over the ranks, in an order that the transport chooses; the
  /// same bits on every rank.
  virtual void sum(std::span<float> values) = 0;
  virtual void sum(std::span<double> values) = 0;
  /// Between each two ranks, one buffer after the other in the order of the lists: what one
  /// gives to the other has the lengths that the other awaits. No rank gives to itself.
  virtual void exchange(const std::vector<Outgoing>& outgoing,
                        const std::vector<Incoming>& incoming) = 0;
  /// Rank r has the elements from bounds[r] to bounds[r + 1]; afterwards every rank has all.
  virtual void gather(std::span<float> values, std::span<const std::size_t> bounds) = 0;
};

/// Of buffers in this process's memory, over `group`, which outlives it and whose collectives
/// they come in one order with. Over MPI by MPI's own, else by messages of all to all.
std::unique_ptr<DeviceCollectives> host_collectives(Communicator& group);

}  // namespace proxytune::comm
