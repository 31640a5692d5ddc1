#include "training/granules.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace proxytune::training {
namespace {

/// Floats that a pass over a slice adds up at a time, so that sums between stay in the cache.
constexpr std::size_t chunk = 4096;

/// The bounds of slices, one a rank, at whole cache lines.
std::vector<std::size_t> slices_of(std::size_t length, int ranks) {
  constexpr std::size_t line = 16;
  std::vector<std::size_t> bounds;
  for (int r = 0; r < ranks; ++r)
    bounds.push_back(length / static_cast<std::size_t>(ranks) * static_cast<std::size_t>(r) /
                     line * line);
  bounds.push_back(length);
  return bounds;
}

void add(std::span<float> to, const float* __restrict more) {
  float* __restrict values = to.data();
  for (std::size_t i = 0; i < to.size(); ++i)
    values[i] += more[i];
}

Stretch of_rank(const Granules& granules, int rank) {
  return {granules.first_of(rank), granules.first_of(rank + 1)};
}

}  // namespace

Granules Granules::of_patches(int patches, int patches_a_granule, int ranks) {
  std::vector<int> bounds;
  for (int begin = 0; begin < patches; begin += patches_a_granule)
    bounds.push_back(begin);
  bounds.push_back(patches);
  return {std::move(bounds), ranks};
}

Granules Granules::of_ranks(int patches, int ranks) {
  const int count = std::min(patches, ranks);
  std::vector<int> bounds;
  for (int i = 0; i <= count; ++i)
    bounds.push_back(static_cast<int>(1L * patches * i / count));
  return {std::move(bounds), ranks};
}

int middle_of(const Stretch& stretch) {
  return stretch.begin +
         static_cast<int>(std::bit_floor(static_cast<unsigned>(stretch.length() - 1)));
}

std::vector<Stretch> whole_stretches(int count, const Stretch& part) {
  std::vector<Stretch> found;
  const auto look = [&](const auto& self, const Stretch& stretch) -> void {
    if (stretch.end <= part.begin || part.end <= stretch.begin)
      return;
    if (part.begin <= stretch.begin && stretch.end <= part.end) {
      found.push_back(stretch);
      return;
    }
    const int middle = middle_of(stretch);
    self(self, {stretch.begin, middle});
    self(self, {middle, stretch.end});
  };
  look(look, {0, count});
  return found;
}

std::vector<double> ordered_sum(const std::vector<std::vector<double>>& numbers) {
  const auto sum = [&](const auto& self, const Stretch& stretch) -> std::vector<double> {
    if (stretch.length() == 1)
      return numbers[static_cast<std::size_t>(stretch.begin)];
    const int middle = middle_of(stretch);
    std::vector<double> left = self(self, {stretch.begin, middle});
    const std::vector<double> right = self(self, {middle, stretch.end});
    std::ranges::transform(left, right, left.begin(), std::plus());
    return left;
  };
  return sum(sum, {0, static_cast<int>(numbers.size())});
}

std::span<float> OrderedSum::memory(std::vector<std::vector<float>>& of,
                                    std::size_t index,
                                    std::size_t length) {
  if (of.size() <= index)
    of.resize(index + 1);
  of[index].resize(length);
  return of[index];
}

void OrderedSum::compute(const Granules& granules,
                         int rank,
                         const Gradient& gradient,
                         std::span<float> total) {
  if (granules.count() == 1) {
    if (granules.first_of(rank) < granules.first_of(rank + 1))
      gradient(0, granules.ranks() == 1 ? total : memory(stretches_, 0, length_));
    return;
  }
  std::size_t i = 0;
  for (const Stretch& stretch : whole_stretches(granules.count(), of_rank(granules, rank)))
    add_up(stretch, gradient, memory(stretches_, i++, length_), 0);
  if (granules.ranks() == 1)
    std::ranges::copy(stretches_.front(), total.begin());
}

void OrderedSum::add_up(const Stretch& stretch,
                        const Gradient& gradient,
                        std::span<float> to,
                        std::size_t depth) {
  if (stretch.length() == 1)
    return gradient(stretch.begin, to);
  const int middle = middle_of(stretch);
  add_up({stretch.begin, middle}, gradient, to, depth + 1);
  const std::span<float> other = memory(scratch_, depth, length_);
  add_up({middle, stretch.end}, gradient, other, depth + 1);
  add(to, other.data());
}

void OrderedSum::prepare(const Granules& granules, int rank) {
  const int ranks = granules.ranks();
  bounds_ = slices_of(length_, ranks);
  whole_ = {0, granules.count()};
  leaves_.clear();
  outgoing_.clear();
  incoming_.clear();
  const auto slice = [&](int of) {
    const auto r = static_cast<std::size_t>(of);
    return std::pair(bounds_[r], bounds_[r + 1] - bounds_[r]);
  };
  const auto [mine, length] = slice(rank);
  const std::vector<Stretch> own = whole_stretches(granules.count(), of_rank(granules, rank));
  std::size_t received = 0;
  for (int other = 0; other < ranks; ++other) {
    const auto [begin, count] = slice(other);
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::span<const float> values = memory(stretches_, i, length_);
      if (other == rank)
        leaves_[{own[i].begin, own[i].end}] = values.data() + mine;
      else
        outgoing_.push_back({other, values.subspan(begin, count)});
    }
    if (other == rank)
      continue;
    for (const Stretch& stretch : whole_stretches(granules.count(), of_rank(granules, other))) {
      const std::span<float> to = memory(received_, received++, length);
      incoming_.push_back({other, to});
      leaves_[{stretch.begin, stretch.end}] = to.data();
    }
  }
  // As deep as the tree is.
  for (std::size_t depth = 0; (std::size_t{1} << depth) < 2 * leaves_.size(); ++depth)
    memory(chunks_, depth, chunk);
}

void OrderedSum::combine(comm::DeviceCollectives& collectives, std::span<float> total) {
  collectives.exchange(outgoing_, incoming_);
  const auto rank = static_cast<std::size_t>(collectives.rank());
  const std::size_t end = bounds_[rank + 1];
  for (std::size_t begin = bounds_[rank]; begin < end; begin += chunk)
    add_leaves(
        whole_, begin - bounds_[rank], total.subspan(begin, std::min(chunk, end - begin)), 0);
  collectives.gather(total, bounds_);
}

void OrderedSum::add_leaves(const Stretch& stretch,
                            std::size_t offset,
                            std::span<float> to,
                            std::size_t depth) {
  if (const auto leaf = leaves_.find({stretch.begin, stretch.end}); leaf != leaves_.end()) {
    std::copy_n(leaf->second + offset, to.size(), to.begin());
    return;
  }
  const int middle = middle_of(stretch);
  add_leaves({stretch.begin, middle}, offset, to, depth + 1);
  const std::span<float> other = memory(chunks_, depth, chunk).first(to.size());
  add_leaves({middle, stretch.end}, offset, other, depth + 1);
  add(to, other.data());
}

}  // namespace proxytune::training
