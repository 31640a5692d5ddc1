#pragma once

#include "proxytune/comm/device_collectives.h"

namespace proxytune::comm {

/// By nothing but all_gather() of the group, so that it works over every transport.
class StagedCollectives : public DeviceCollectives {
 public:
  explicit StagedCollectives(Communicator& group) : group_(group) {}
  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  void sum(std::span<float> values) override;
  void sum(std::span<double> values) override;
  void exchange(const std::vector<Outgoing>& outgoing,
                const std::vector<Incoming>& incoming) override;
  void gather(std::span<float> values, std::span<const std::size_t> bounds) override;

 private:
  Communicator& group_;
};

}  // namespace proxytune::comm
