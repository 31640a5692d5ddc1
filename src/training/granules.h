#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "proxytune/comm/device_collectives.h"

namespace proxytune::training {

/// A batch of patches cut into granules, parts whose gradients are computed by one rank at
/// once, and the ranks' shares of them: neighbours, the same number for all but for one.
class Granules {
 public:
  /// Cut every `patches_a_granule`, whoever computes them.
  static Granules of_patches(int patches, int patches_a_granule, int ranks);
  /// One granule a rank, as long as there are patches.
  static Granules of_ranks(int patches, int ranks);

  int count() const { return static_cast<int>(bounds_.size()) - 1; }
  int patches() const { return bounds_.back(); }
  int ranks() const { return ranks_; }
  /// Patches of granules from `granule` on.
  int first_patch(int granule) const { return bounds_[static_cast<std::size_t>(granule)]; }
  double weight(int granule) const {
    return static_cast<double>(first_patch(granule + 1) - first_patch(granule)) / patches();
  }
  /// Granules of ranks from `rank` on.
  int first_of(int rank) const { return static_cast<int>(1L * count() * rank / ranks_); }
  bool operator==(const Granules&) const = default;

 private:
  Granules(std::vector<int> bounds, int ranks) : bounds_(std::move(bounds)), ranks_(ranks) {}

  std::vector<int> bounds_;  // of patches
  int ranks_;
};

/// Neighbouring granules, from `begin` to before `end`.
struct Stretch {
  int begin = 0;
  int end = 0;
  int length() const { return end - begin; }
  bool operator==(const Stretch&) const = default;
};

/// How the tree of sums divides a stretch of two granules or more: the left half has the
/// largest power of two that leaves something for the right one.
int middle_of(const Stretch& stretch);

/// The largest stretches of the tree over all `count` granules that lie within `part`.
std::vector<Stretch> whole_stretches(int count, const Stretch& part);

/// The sum of the granules' numbers in the tree's order, each a vector of the same length.
std::vector<double> ordered_sum(const std::vector<std::vector<double>>& numbers);

/// Sums of gradients in the tree's order: first of what a rank has itself, then over ranks,
/// each of which adds up a slice of the whole for all others. Keeps its memory.
class OrderedSum {
 public:
  /// Puts a granule's gradient into `to`.
  using Gradient = std::function<void(int granule, std::span<float> to)>;

  explicit OrderedSum(std::size_t length) : length_(length) {}

  /// This rank's granules in their order, with a sum of all in `total` where there is no other
  /// rank. `total` is written last, and may be where `gradient` comes from. No collective.
  void compute(const Granules& granules,
               int rank,
               const Gradient& gradient,
               std::span<float> total);
  /// Takes all memory that combine() needs, since a rank that gets none there would leave the
  /// others waiting. After compute(); no collective.
  void prepare(const Granules& granules, int rank);
  /// The sum of all ranks' granules in every rank's `total`. Collective, after prepare().
  void combine(comm::DeviceCollectives& collectives, std::span<float> total);

 private:
  void add_up(const Stretch& stretch,
              const Gradient& gradient,
              std::span<float> to,
              std::size_t depth);
  void add_leaves(const Stretch& stretch,
                  std::size_t offset,
                  std::span<float> to,
                  std::size_t depth);
  static std::span<float> memory(std::vector<std::vector<float>>& of,
                                 std::size_t index,
                                 std::size_t length);

  std::size_t length_;
  std::vector<std::vector<float>> stretches_;  // of this rank
  std::vector<std::vector<float>> scratch_;    // by depth
  std::vector<std::vector<float>> received_;
  std::vector<std::vector<float>> chunks_;  // by depth
  std::vector<std::size_t> bounds_;         // of the ranks' slices
  Stretch whole_;
  std::map<std::pair<int, int>, const float*> leaves_;  // of stretches, this rank's slice
  std::vector<comm::DeviceCollectives::Outgoing> outgoing_;
  std::vector<comm::DeviceCollectives::Incoming> incoming_;
};

}  // namespace proxytune::training
