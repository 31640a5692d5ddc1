#include "proxytune/selection/partners.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "proxytune/core/hash.h"

namespace proxytune::selection {
namespace {

/// Another volume with the random number that it has for this one: the lowest are drawn.
struct Lot {
  std::uint64_t number = 0;
  int volume = 0;
};

void check(const std::vector<std::string>& content_keys, int count) {
  if (count < 0)
    throw std::invalid_argument("a negative number of partners");
  const std::set<std::string> distinct(content_keys.begin(), content_keys.end());
  if (distinct.size() != content_keys.size())
    throw std::invalid_argument("two volumes with one content key");
}

std::vector<int> lowest(std::vector<Lot> lots,
                        const std::vector<std::string>& content_keys,
                        int count) {
  const auto less = [&](const Lot& one, const Lot& other) {
    if (one.number != other.number)
      return one.number < other.number;
    return content_keys[static_cast<std::size_t>(one.volume)] <
           content_keys[static_cast<std::size_t>(other.volume)];
  };
  const std::size_t drawn = std::min(static_cast<std::size_t>(count), lots.size());
  std::partial_sort(
      lots.begin(), lots.begin() + static_cast<std::ptrdiff_t>(drawn), lots.end(), less);
  std::vector<int> volumes;
  for (std::size_t i = 0; i < drawn; ++i)
    volumes.push_back(lots[i].volume);
  std::sort(volumes.begin(), volumes.end());
  return volumes;
}

}  // namespace

std::vector<std::vector<int>> draw_partners(const std::vector<std::string>& content_keys,
                                            const core::RandomKey& key,
                                            int count) {
  check(content_keys, count);
  std::vector<std::uint64_t> hashes;
  for (const std::string& content_key : content_keys)
    hashes.push_back(core::hash64(content_key));
  std::vector<std::vector<int>> partners;
  for (std::size_t volume = 0; volume < hashes.size(); ++volume) {
    const core::RandomKey own = key.with("partners").with(hashes[volume]);
    std::vector<Lot> lots;
    lots.reserve(hashes.size());
    for (std::size_t other = 0; other < hashes.size(); ++other)
      if (other != volume)
        lots.push_back({own.with(hashes[other]).value(), static_cast<int>(other)});
    partners.push_back(lowest(std::move(lots), content_keys, count));
  }
  return partners;
}

std::vector<similarity::Cell> sampled_pairs(const std::vector<std::vector<int>>& partners,
                                            bool symmetric,
                                            bool include_self) {
  std::vector<similarity::Cell> pairs;
  for (int row = 0; row < static_cast<int>(partners.size()); ++row) {
    if (include_self)
      pairs.push_back({row, row});
    for (const int column : partners[static_cast<std::size_t>(row)])
      pairs.push_back(symmetric ? similarity::Cell{std::min(row, column), std::max(row, column)}
                                : similarity::Cell{row, column});
  }
  std::sort(pairs.begin(),
            pairs.end(),
            [](const similarity::Cell& one, const similarity::Cell& other) {
              return std::tie(one.row, one.column) < std::tie(other.row, other.column);
            });
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

}  // namespace proxytune::selection
