#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "proxytune/network/unet.h"
#include "proxytune/training/boxes.h"
#include "proxytune/training/options.h"
#include "proxytune/training/team.h"
#include "training/granules.h"
#include "training/lock_step.h"

namespace proxytune::training {

/// Some patches of a batch: images (patch, z, y, x, channel), labels (patch, z, y, x).
struct Patches {
  std::span<const float> images;
  std::span<const std::uint8_t> labels;
};

/// The gradient of a batch's loss, granule by granule, and over the ranks of a team. Of a
/// network of float32; by the fastest reduction, float64 too.
class BatchGradient {
 public:
  /// Makes the patches of the batch from `begin` to before `end`.
  using Cut = std::function<Patches(int begin, int end)>;

  /// `network` and `team` outlive it. A granule has patches_of_granule(options) patches.
  BatchGradient(network::UNet& network, Team& team, const TrainingOptions& options);

  /// The mean loss of a batch of `patches`, the same on all ranks; where it is finite the
  /// network's gradients are the batch's, else they are garbage. `cut` is asked for this rank's
  /// patches once. Collective.
  double operator()(int patches, const Cut& cut);

 private:
  struct Granule {
    int index = 0;
    torch::Tensor images;
    std::span<const std::uint8_t> labels;
  };
  /// A rank's patches are one granule, added up by the transport.
  bool by_rank() const { return team_.reduction() == Reduction::fastest && team_.size() > 1; }
  Granules cut_up(int patches) const;
  Granule granule(const Granules& granules, int index, int first_patch, const Patches& patches);
  void follow_moments(const Granules& granules, const Cut& cut);
  std::vector<double> one_by_one(const Granules& granules, const Cut& cut);
  std::vector<double> side_by_side(const Granules& granules, const Cut& cut);
  torch::Tensor loss(network::UNet& network, const Granule& granule) const;

  network::UNet& network_;
  Team& team_;
  TrainingOptions options_;
  OrderedSum sum_;
  std::vector<network::UNet> replicas_;  // beside the network itself
};

}  // namespace proxytune::training
