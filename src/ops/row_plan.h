#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ops/narrow_convolution.h"

// Which voxels of a convolution's source its targets read, in rows of equal steps. No LibTorch
// here.
namespace proxytune::ops {

using Extents = std::array<std::int64_t, 3>;  // z, y, x

struct PlanKey {
  Relation relation = Relation::same;
  bool mirrored = false;  // tap k takes the weight of 2 - k along each axis
  Extents targets{};
  Extents sources{};
  std::int64_t samples = 1;
  auto operator<=>(const PlanKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// Targets that the same taps reach, none of them outside: positions count voxels of all
/// samples, and along a run targets and sources have equal steps.
struct RowClass {
  struct Tap {
    int kernel = 0;
    std::int64_t source = 0;  // positions beyond the row's own
  };
  struct Run {
    std::int64_t target = 0;
    std::int64_t source = 0;
  };
  std::vector<Tap> taps;
  std::vector<Run> runs;  // by ascending target
  std::int64_t length = 0;
  std::int64_t target_step = 0;
  std::int64_t source_step = 0;
};

using RowPlan = std::vector<RowClass>;

/// Every target is in one class, but for those that no tap reaches (of a grid of one voxel's
/// doubling there are none). Kept by each thread for the shapes it meets.
const RowPlan& row_plan(const PlanKey& key);

}  // namespace proxytune::ops
