#include "ops/row_plan.h"

#include <algorithm>
#include <map>

namespace proxytune::ops {
namespace {

struct AxisTap {
  int kernel = 0;
  std::int64_t source = 0;  // of the group's first target
};

/// Targets first, first + step, ... that the same taps reach.
struct AxisGroup {
  std::vector<AxisTap> taps;
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 1;
  std::int64_t source_step = 1;
};

std::vector<AxisTap> taps_of(const PlanKey& key, std::int64_t target, std::int64_t sources) {
  std::vector<AxisTap> taps;
  for (int k = 0; k < 3; ++k) {
    std::int64_t source = target + k - 1;
    if (key.relation == Relation::fine_to_coarse)
      source += target;
    if (key.relation == Relation::coarse_to_fine) {
      if ((target + 1 - k) % 2 != 0)
        continue;
      source = (target + 1 - k) / 2;
    }
    if (source >= 0 && source < sources)
      taps.push_back({key.mirrored ? 2 - k : k, source});
  }
  return taps;
}

bool same_kernels(const std::vector<AxisTap>& one, const std::vector<AxisTap>& other) {
  return std::ranges::equal(one, other, {}, &AxisTap::kernel, &AxisTap::kernel);
}

std::vector<AxisGroup> groups_of(const PlanKey& key, std::size_t axis) {
  std::vector<AxisGroup> groups;
  for (std::int64_t target = 0; target < key.targets[axis]; ++target) {
    const std::vector<AxisTap> taps = taps_of(key, target, key.sources[axis]);
    if (taps.empty())
      continue;
    const auto known = std::ranges::find_if(
        groups, [&](const AxisGroup& group) { return same_kernels(group.taps, taps); });
    if (known == groups.end()) {
      groups.push_back({taps, target, 1, 1, 1});
      continue;
    }
    // All members of a group are equally far apart, in targets as in sources.
    if (known->count == 1) {
      known->step = target - known->first;
      known->source_step = taps.front().source - known->taps.front().source;
    }
    ++known->count;
  }
  return groups;
}

struct Side {
  std::int64_t first = 0;
  std::int64_t step = 0;
};

/// An axis of a class, or the samples, in positions.
struct Way {
  std::int64_t count = 1;
  Side target, source;
};

RowClass class_of(const PlanKey& key, const std::array<const AxisGroup*, 3>& groups) {
  const auto scale = [](const Extents& extents) {
    return Extents{extents[1] * extents[2], extents[2], 1};
  };
  const Extents target_scale = scale(key.targets);
  const Extents source_scale = scale(key.sources);
  std::array<Way, 4> ways;
  ways[0] = {key.samples,
             {0, key.targets[0] * target_scale[0]},
             {0, key.sources[0] * source_scale[0]}};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const AxisGroup& group = *groups[axis];
    ways[axis + 1] = {group.count,
                      {group.first * target_scale[axis], group.step * target_scale[axis]},
                      {group.taps.front().source * source_scale[axis],
                       group.source_step * source_scale[axis]}};
  }
  RowClass made;
  for (const AxisTap& z : groups[0]->taps)
    for (const AxisTap& y : groups[1]->taps)
      for (const AxisTap& x : groups[2]->taps)
        made.taps.push_back({(z.kernel * 3 + y.kernel) * 3 + x.kernel,
                             (z.source - groups[0]->taps.front().source) * source_scale[0] +
                                 (y.source - groups[1]->taps.front().source) * source_scale[1] +
                                 (x.source - groups[2]->taps.front().source)});
  // The longest way is the run; of equal ones the last, whose steps are the shortest.
  const auto longest = std::ranges::max_element(
      ways.rbegin(), ways.rend(), {}, [](const Way& way) { return way.count; });
  made.length = longest->count;
  made.target_step = longest->target.step;
  made.source_step = longest->source.step;
  made.runs.push_back({});
  for (const Way& way : ways) {
    const std::int64_t count = &way == &*longest ? 1 : way.count;
    std::vector<RowClass::Run> runs;
    for (const RowClass::Run& run : made.runs)
      for (std::int64_t i = 0; i < count; ++i)
        runs.push_back({run.target + way.target.first + i * way.target.step,
                        run.source + way.source.first + i * way.source.step});
    made.runs = std::move(runs);
  }
  return made;
}

RowPlan make_plan(const PlanKey& key) {
  std::array<std::vector<AxisGroup>, 3> groups;
  for (std::size_t axis = 0; axis < 3; ++axis)
    groups[axis] = groups_of(key, axis);
  RowPlan plan;
  for (const AxisGroup& z : groups[0])
    for (const AxisGroup& y : groups[1])
      for (const AxisGroup& x : groups[2])
        plan.push_back(class_of(key, {&z, &y, &x}));
  return plan;
}

}  // namespace

const RowPlan& row_plan(const PlanKey& key) {
  thread_local std::map<PlanKey, RowPlan> plans;
  constexpr std::size_t most = 64;
  const auto known = plans.find(key);
  if (known != plans.end())
    return known->second;
  if (plans.size() >= most)
    plans.clear();
  return plans.emplace(key, make_plan(key)).first->second;
}

}  // namespace proxytune::ops
